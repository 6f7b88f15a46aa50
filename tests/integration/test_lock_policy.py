"""Applying while others hold locks: bounded waits, everything released in between, and who is in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.execution.invalid_index import remove_remains
from novaops.planning.plan import Plan
from novaops.progress import Silent
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
SHORT, LONG = timedelta(seconds=1), timedelta(seconds=30)
TABLES = "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int);"


class Heard(Silent):
    """Notes what is waited for, and does something about it."""

    def __init__(self) -> None:
        self.waits: list[str] = []
        self.phases: set[str] = set()
        self.react: Callable[[], object] = lambda: None

    def waiting(self, text: str) -> None:
        self.waits.append(text)
        self.react()

    def progress(self, phase: str, done: float | None) -> None:
        self.phases.add(phase)


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("locks")


@pytest.fixture
def live(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def other(url: str) -> Iterator[Connection]:
    """Somebody else, in a transaction."""
    with psycopg.connect(url) as connection:
        yield connection


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def declare(url: str, tmp_path: Path, heard: Heard) -> Iterator[Callable[[str], Project]]:
    opened: list[Project] = []

    def project(sql: str) -> Project:
        (tmp_path / "schema.sql").write_text(sql)
        opened.append(Project(url, tmp_path / "schema.sql", Options(ignore_file=None), reporter=heard))
        return opened[-1]

    yield project
    for each in opened:
        each.close()


def wait_until(connection: Connection, query: str, *parameters: object) -> None:
    """Until the query has a row."""
    while connection.execute(query, parameters).fetchone() is None:
        time.sleep(0.02)


def in_background(project: Project, made: Plan, **given: Any) -> tuple[threading.Thread, list[object]]:
    """Apply the plan in a thread; the list gets the outcome or the error."""
    results: list[object] = []

    def apply() -> None:
        try:
            results.append(project.apply(made, **given).left)
        except NovaopsError as error:
            results.append(error)

    thread = threading.Thread(target=apply)
    thread.start()
    return thread, results


def test_who_blocks_is_named_and_the_next_try_succeeds(
    live: Connection, other: Connection, declare: Callable[[str], Project], heard: Heard
) -> None:
    live.execute(TABLES)
    project = declare(TABLES.replace("id int", "id int, n int", 1))
    made = project.plan()
    other.execute("SELECT count(*) FROM a")
    heard.react = other.rollback
    assert project.apply(made, lock_timeout=2 * SHORT).left == ()
    pid = other.info.backend_pid
    (wait,) = heard.waits
    assert wait.startswith(
        f"waiting for a lock on public.a: held by pid {pid} (postgres, idle in transaction for "
    )
    assert wait.endswith("): SELECT count(*) FROM a · try 1 of 5")


def test_a_lock_that_cannot_be_had_names_who_has_it_and_changes_nothing(
    live: Connection, other: Connection, declare: Callable[[str], Project], heard: Heard
) -> None:
    live.execute(TABLES)
    project = declare(TABLES.replace("id int", "id int, n int"))
    made = project.plan()
    other.execute("LOCK TABLE b IN ACCESS SHARE MODE")
    with pytest.raises(NovaopsError, match="a lock could not be had in 5 tries") as failed:
        project.apply(made, lock_timeout=SHORT, rehearse=False)
    assert f"held by pid {other.info.backend_pid}" in (failed.value.detail or "")
    assert f"pg_terminate_backend({other.info.backend_pid})" in (failed.value.hint or "")
    assert len(heard.waits) == 4
    assert [c.name for c in live.execute("SELECT * FROM a").description or ()] == ["id"]


def test_the_next_try_holds_nothing_while_it_waits(
    live: Connection, other: Connection, declare: Callable[[str], Project]
) -> None:
    live.execute(TABLES)
    project = declare(TABLES.replace("id int", "id int, n int"))
    made = project.plan()
    other.execute("LOCK TABLE c IN ACCESS SHARE MODE")
    thread, results = in_background(project, made, lock_timeout=SHORT)
    waits = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'c'::regclass AND pid = %s"
    holds = "SELECT FROM pg_locks WHERE granted AND relation IN ('a'::regclass, 'b'::regclass) AND pid = %s"
    pid = project.connection.info.backend_pid
    wait_until(live, f"{waits} AND EXISTS ({holds})", pid, pid)  # the first try
    wait_until(live, f"{waits} AND NOT EXISTS ({holds})", pid, pid)
    other.rollback()
    thread.join()
    assert results == [()]


def test_the_victim_of_a_deadlock_tries_again(
    live: Connection, other: Connection, declare: Callable[[str], Project], heard: Heard
) -> None:
    live.execute(TABLES)
    project = declare(TABLES.replace("id int", "id int, n int"))
    made = project.plan()
    other.execute("SET LOCAL deadlock_timeout = '1min'")
    other.execute("LOCK TABLE c IN ROW EXCLUSIVE MODE")
    thread, results = in_background(project, made, lock_timeout=LONG)
    pid = project.connection.info.backend_pid
    wait_until(live, "SELECT FROM pg_locks WHERE NOT granted AND relation = 'c'::regclass AND pid = %s", pid)
    other.execute("LOCK TABLE a IN ROW EXCLUSIVE MODE")  # which novaops holds
    other.commit()
    thread.join()
    assert results == [()]
    assert heard.waits


def test_building_an_index_waits_for_old_transactions_as_long_as_it_takes(
    live: Connection, other: Connection, declare: Callable[[str], Project], heard: Heard
) -> None:
    live.execute(TABLES + "INSERT INTO a SELECT generate_series(1, 100)")
    project = declare(TABLES + "CREATE INDEX a_id ON a (id);")
    made = project.plan()
    other.execute("INSERT INTO a VALUES (0)")
    heard.react = other.commit
    assert project.apply(made, lock_timeout=timedelta(milliseconds=10)).left == ()
    (wait,) = heard.waits
    pid = other.info.backend_pid
    assert wait.startswith(f"waiting for older transactions to end: pid {pid} (postgres, idle in transaction")
    assert "waiting for writers before build" in heard.phases


def test_validating_waits_as_long_as_it_takes(
    live: Connection, other: Connection, declare: Callable[[str], Project], heard: Heard
) -> None:
    live.execute(TABLES + "INSERT INTO a VALUES (1); ALTER TABLE a ADD CONSTRAINT p CHECK (id > 0) NOT VALID")
    project = declare(TABLES.replace("id int", "id int CONSTRAINT p CHECK (id > 0)", 1))
    made = project.plan()
    assert [s.sql for s in made.statements] == ["ALTER TABLE public.a VALIDATE CONSTRAINT p"]
    other.execute("LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE")
    heard.react = other.rollback
    assert project.apply(made, lock_timeout=timedelta(milliseconds=10)).left == ()
    assert len(heard.waits) == 1
    assert "try" not in heard.waits[0]


def test_a_constraint_that_was_not_valid_is_validated_apart(
    live: Connection, declare: Callable[[str], Project]
) -> None:
    live.execute(TABLES + "INSERT INTO a VALUES (1); ALTER TABLE a ADD CONSTRAINT p CHECK (id > 0) NOT VALID")
    project = declare(TABLES.replace("id int", "id int CONSTRAINT p CHECK (id > 0), n int", 1))
    made = project.plan()
    assert [(s.transaction, s.patient) for s in made.statements] == [(1, False), (2, True)]
    assert project.apply(made).left == ()


def test_a_dropped_table_is_among_the_locks_of_a_rehearsal(
    live: Connection, declare: Callable[[str], Project]
) -> None:
    live.execute(TABLES)
    project = declare(TABLES.rpartition("CREATE")[0])
    made = project.rehearse(project.plan())
    assert [s.locks for s in made.statements] == [("public.c AccessExclusiveLock",)]


# -- indexes that are not valid --------------------------------------------------------------


@pytest.fixture
def building(url: str, live: Connection, other: Connection) -> Iterator[threading.Thread]:
    """Somebody builds the index a_id; it goes on until `other` ends its transaction."""
    live.execute(TABLES + "INSERT INTO a VALUES (1)")
    other.execute("INSERT INTO a VALUES (2)")

    def build() -> None:
        with psycopg.connect(url, autocommit=True) as builder, suppress(psycopg.Error):
            builder.execute("CREATE INDEX CONCURRENTLY a_id ON a (id)")

    thread = threading.Thread(target=build)
    thread.start()
    wait_until(live, "SELECT FROM pg_index WHERE indexrelid = to_regclass('a_id')")
    yield thread
    other.rollback()
    thread.join()


def valid(live: Connection) -> list[tuple[bool]]:
    return live.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('a_id')").fetchall()


def test_an_index_that_somebody_is_building_is_not_taken_for_remains(
    building: threading.Thread, live: Connection, other: Connection
) -> None:
    remove_remains(live, "public.a_id", SHORT)
    assert valid(live) == [(False,)]
    other.rollback()
    building.join()
    assert valid(live) == [(True,)]


def test_a_plan_over_an_index_that_somebody_is_building_is_not_applied(
    building: threading.Thread, live: Connection, declare: Callable[[str], Project]
) -> None:
    project = declare(TABLES)
    with pytest.raises(NovaopsError, match=r"pid \d+ is building public\.a_id just now"):
        project.apply(allow=["undeclared-drop:public.a_id"])
    assert valid(live) == [(False,)]


def test_a_valid_index_of_the_same_name_stays(live: Connection) -> None:
    live.execute(TABLES + "CREATE INDEX a_id ON a (id)")
    remove_remains(live, "public.a_id", SHORT)
    assert valid(live) == [(True,)]
