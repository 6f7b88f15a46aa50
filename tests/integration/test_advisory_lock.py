"""The lock is exclusive, polled, released, and a refusal names who has it."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from novaops.db.advisory_lock import Holder, advisory_lock, holder
from novaops.db.connection import connect
from novaops.errors import NovaopsError


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database()


def test_second_session_is_refused_and_told_who_has_it(url: str) -> None:
    with connect(url) as first, connect(url) as second, advisory_lock(first):
        with pytest.raises(NovaopsError) as refused, advisory_lock(second):
            pass
        pid = first.info.backend_pid
        assert f"pid {pid} (postgres, novaops, 127.0.0.1, idle" in (refused.value.detail or "")
        assert f"pg_terminate_backend({pid})" in (refused.value.hint or "")


def test_lock_is_free_after_the_block_and_after_a_failure_inside(url: str) -> None:
    with connect(url) as first, connect(url) as second:
        with pytest.raises(psycopg.errors.DivisionByZero), advisory_lock(first):
            first.execute("SELECT 1/0")
        with advisory_lock(second):
            assert holder(first) is not None
        assert holder(first) is None


def test_waits_until_it_is_free(url: str) -> None:
    seen: list[Holder] = []
    with connect(url) as first, connect(url) as second:
        held = threading.Event()

        def hold() -> None:
            with advisory_lock(first):
                held.set()
                time.sleep(0.7)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        begun = time.monotonic()
        with advisory_lock(second, wait=timedelta(seconds=20), waiting=seen.append):
            assert time.monotonic() - begun > 0.3
        thread.join()
        assert [h.pid for h in seen] == [first.info.backend_pid]


def test_waiter_does_not_stop_create_index_concurrently(url: str) -> None:
    with connect(url) as first, connect(url) as second, connect(url) as spare:
        first.execute("CREATE TABLE t (a int)")
        with advisory_lock(first):
            failures: list[NovaopsError] = []

            def wait() -> None:
                try:
                    with advisory_lock(second, wait=timedelta(seconds=2)):
                        pass
                except NovaopsError as error:
                    failures.append(error)

            thread = threading.Thread(target=wait)
            thread.start()
            first.execute("SET statement_timeout = '10s'")
            first.execute("CREATE INDEX CONCURRENTLY t_a ON t (a)")
            thread.join()
            assert len(failures) == 1
            assert holder(spare) is not None


def test_databases_do_not_exclude_each_other(new_database: Callable[..., str]) -> None:
    with (
        connect(new_database()) as first,
        connect(new_database()) as second,
        advisory_lock(first),
        advisory_lock(second),
    ):
        assert holder(first) != holder(second)


def test_a_transaction_is_no_place_for_it(url: str) -> None:
    with (
        connect(url) as connection,
        connection.transaction(),
        pytest.raises(ValueError),
        advisory_lock(connection),
    ):
        pass
