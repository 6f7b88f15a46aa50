"""apply --park and unpark, as people run them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest


@pytest.fixture
def url(new_database: Callable[..., str], tmp_path: Path) -> str:
    """A database with a table that the file beside it does not declare."""
    url = new_database("cli")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE a (x int); CREATE TABLE t (x int); INSERT INTO t VALUES (1)")
    (tmp_path / "schema.sql").write_text("CREATE TABLE a (x int);\n")
    return url


def test_a_table_is_parked_listed_and_brought_back(novaops, url: str) -> None:
    assert novaops("apply", "--url", url, "--file", "schema.sql", "--yes").returncode == 4
    plan = novaops("plan", "--url", url, "--file", "schema.sql", "--park", "60d")
    assert "parked until " in plan.stdout
    assert "--park 60d" in plan.stdout.splitlines()[-1]
    applied = novaops("apply", "--url", url, "--file", "schema.sql", "--park", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert novaops("unpark", "--url", url).stdout.startswith("public.t  parked ")
    back = novaops("unpark", "public.t", "--url", url)
    assert back.returncode == 0, back.stderr
    assert "public.t is back with its rows" in back.stdout
    assert novaops("unpark", "--url", url).stdout == "nothing is parked\n"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_what_has_expired_is_dropped_after_a_question(novaops, url: str) -> None:
    novaops("apply", "--url", url, "--file", "schema.sql", "--park", "1us", "--yes")
    asked = novaops("unpark", "--expire", "--url", url)
    assert asked.returncode == 2
    again = f"novaops unpark --url {shlex.quote(url)} --expire --yes\n"
    assert asked.stderr.endswith(f"hint: to go on without a question: {again}")
    dropped = novaops("unpark", "--expire", "--url", url, "--yes", "--format", "json")
    assert dropped.returncode == 0, dropped.stderr
    assert [t["origin"] for t in json.loads(dropped.stdout)["dropped"]] == ["public.t"]
    assert novaops("unpark", "--url", url).stdout == "nothing is parked\n"


@pytest.mark.parametrize("arguments", [("--park", "soon"), ("--park", "--rollback")])
def test_what_makes_no_sense_is_a_usage_error(novaops, url: str, arguments: tuple[str, ...]) -> None:
    assert novaops("plan", "--url", url, "--file", "schema.sql", *arguments).returncode == 2
