"""Objects that nobody declared, on the command line: refused by name, kept or dropped by the setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Novaops

SCHEMA = "CREATE TABLE t (a int PRIMARY KEY);"
BY_HAND = """
CREATE TABLE q (i int);
CREATE VIEW "My View" AS SELECT a FROM t;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
INSERT INTO t VALUES (1);
"""
HAZARDS = ['undeclared-drop:public."My View"', "undeclared-drop:public.f()", "undeclared-drop:public.q"]


@pytest.fixture
def call(new_database: Callable[..., str], tmp_path: Path) -> tuple[str, ...]:
    """The arguments for a database with objects made by hand, which novaops never applied to."""
    url = new_database("cli")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA + BY_HAND)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    return ("--url", url, "--file", "schema.sql")


def relations(call: tuple[str, ...]) -> set[str]:
    with psycopg.connect(call[1]) as connection:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        return {name for (name,) in connection.execute(query)}


def test_yes_does_not_drop_them_and_the_next_line_does(novaops: Novaops, call: tuple[str, ...]) -> None:
    refused = novaops("apply", *call, "--yes")
    assert refused.returncode == 4
    assert relations(call) == {"t", "q", "My View"}
    planned = novaops("plan", *call)
    assert "! undeclared-drop: no record says that novaops created it" in planned.stdout
    (following,) = [line for line in planned.stdout.splitlines() if line.startswith("next")]
    for consent in HAZARDS:
        assert consent in following
    allow = [word for consent in HAZARDS for word in ("--allow", consent)]
    applied = novaops("apply", *call, "--yes", *allow)
    assert applied.returncode == 0, applied.stderr
    assert relations(call) == {"t"}


def test_json_names_them_with_the_changes_and_their_statements(
    novaops: Novaops, call: tuple[str, ...]
) -> None:
    plan = json.loads(novaops("plan", *call, "--json").stdout)
    assert sorted(h["consent"] for h in plan["blocked"]) == HAZARDS
    for part in (plan["changes"], plan["statements"]):
        assert sorted(h["consent"] for each in part for h in each["hazards"]) == HAZARDS
    assert {h["code"] for h in plan["blocked"]} == {"H103"}
    assert plan["undeclared"] == []


def test_the_setting_keeps_them(novaops: Novaops, call: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "novaops.toml").write_text('[schema]\nundeclared = "keep"\n')
    planned = novaops("plan", *call)
    assert planned.returncode == 0
    assert "3 undeclared objects are kept (undeclared = keep): " in " ".join(planned.stdout.split())
    applied = novaops("apply", *call, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert relations(call) == {"t", "q", "My View"}
    explained = novaops("config", "explain", *call, "--undeclared", "ask")
    assert [line.split() for line in explained.stdout.splitlines() if line.startswith("undeclared")] == [
        ["undeclared", "ask", "--undeclared"]
    ]
    dropped = novaops("apply", *call, "--yes", NOVAOPS_UNDECLARED="drop")
    assert dropped.returncode == 0, dropped.stderr
    assert relations(call) == {"t"}


def test_another_word_is_refused(novaops: Novaops, call: tuple[str, ...]) -> None:
    wrong = novaops("plan", *call, NOVAOPS_UNDECLARED="never")
    assert wrong.returncode == 2
    assert "undeclared from NOVAOPS_UNDECLARED is 'never'" in wrong.stderr
