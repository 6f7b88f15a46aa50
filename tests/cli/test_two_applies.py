"""Two processes at once: one works, the other waits or says whom it would have to wait for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

OLD = "CREATE TABLE t (a int);\n"
NEW = "CREATE TABLE t (a int, b int);\nCREATE INDEX t_a ON t (a);\n"
BUILT = "FROM pg_stat_progress_create_index WHERE datname = current_database()"
"""Indexes that are being built here; the view shows those of all databases."""


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    url: str = new_database("two")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OLD + "INSERT INTO t SELECT generate_series(1, 100)")
    return url


@pytest.fixture
def other(url: str) -> Iterator[psycopg.Connection]:
    """Somebody who keeps indexes from being finished."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        yield connection


@pytest.fixture
def arguments(url: str, tmp_path: Path) -> list[str]:
    (tmp_path / "schema.sql").write_text(NEW)
    return ["apply", "--yes", "--no-rehearse", "--url", url, "--file", str(tmp_path / "schema.sql")]


@pytest.fixture
def first(
    url: str, other: psycopg.Connection, arguments: list[str], tmp_path: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """An apply that is building its index, and goes on when the other's transaction ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "novaops", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    with process, psycopg.connect(url, autocommit=True) as connection:
        query = f"SELECT {BUILT} AND phase LIKE 'waiting%'"
        while connection.execute(query).fetchone() is None:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield process
        other.rollback()


def test_the_second_is_refused_and_told_the_pid(
    novaops, url: str, other: psycopg.Connection, arguments: list[str], first: subprocess.Popen[str]
) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT pid {BUILT}").fetchone()
    refused = novaops(*arguments)
    assert refused.returncode == 1
    assert "another novaops is changing two_" in refused.stderr
    assert row is not None
    assert f"pid {row[0]} (" in refused.stderr
    other.rollback()
    assert first.communicate()[0]
    assert first.returncode == 0


def test_the_second_waits_and_finds_nothing_left_to_do(
    novaops, other: psycopg.Connection, arguments: list[str], first: subprocess.Popen[str], url: str,
    tmp_path: Path, environment: dict[str, str],
) -> None:  # fmt: skip
    command = [sys.executable, "-m", "novaops", *arguments, "--lock-wait", "60s"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as second:
        assert second.stderr is not None
        said = ""
        while "another novaops is at work" not in said:
            line = second.stderr.readline()
            assert line, said
            said += line
        other.rollback()
        assert first.wait() == 0
        said += second.stderr.read()
        assert second.stdout is not None
        assert " matches " in second.stdout.read()
        second.wait()
    assert second.returncode == 0, said


def test_a_plan_that_the_first_has_carried_out_is_not_carried_out_again(
    novaops, url: str, other: psycopg.Connection, arguments: list[str], tmp_path: Path,
) -> None:  # fmt: skip
    plan = tmp_path / "plan.json"
    assert novaops("plan", "--out", plan, *arguments[3:]).returncode == 0
    other.rollback()
    assert novaops(*arguments).returncode == 0
    again = novaops("apply", plan, "--yes", "--lock-wait", "60s", "--url", url)
    assert again.returncode == 5
    assert "has changed since the plan was made" in again.stderr


def test_what_a_build_that_was_killed_has_left_is_replaced(
    novaops, url: str, other: psycopg.Connection, arguments: list[str], first: subprocess.Popen[str]
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        query = f"SELECT pg_terminate_backend(pid) {BUILT}"
        connection.execute(query)
        said = first.communicate()[1]
        assert first.returncode == 1
        assert "terminating connection due to administrator command" in said
        assert "Traceback" not in said
        invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(invalid).fetchall() == [("t_a",)]
        other.rollback()
        assert novaops(*arguments).returncode == 0
        indexes = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 't'::regclass"
        assert connection.execute(indexes).fetchall() == [("t_a", True)]


def test_the_session_of_a_process_that_was_killed_ends_by_itself(
    novaops, url: str, other: psycopg.Connection, arguments: list[str], first: subprocess.Popen[str]
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        first.kill()
        # What it waits for goes on, and nobody else has ended it.
        building = (
            "SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY %'"
        )
        while connection.execute(building).fetchone() is not None:
            time.sleep(0.1)
        other.rollback()
        assert novaops(*arguments).returncode == 0
        indexes = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 't'::regclass"
        assert connection.execute(indexes).fetchall() == [("t_a", True)]
