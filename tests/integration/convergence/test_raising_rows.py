"""An expression that raises an error for a row is a hazard before anything runs, with the error and the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.catalog.read import read
from novaops.kinds import registry
from novaops.planning.draft import Draft, draft
from novaops.planning.hazards import Assessment, assess
from novaops.planning.plan import Hazard
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot


@dataclass(frozen=True, slots=True)
class Case:
    """From `old` to `new` PostgreSQL goes with the rows that `right` inserts, and not with that of `wrong` besides."""

    subject: str
    old: str
    new: str
    right: str = "INSERT INTO t SELECT n, n::text FROM generate_series(1, 3000) AS n"
    wrong: str = "INSERT INTO t VALUES (0, 'a')"
    error: str = 'invalid input syntax for type integer: "a"'
    message: str = ""
    """What the hazard says where it is more than the error."""
    query: str = "SELECT * FROM ONLY public.t WHERE ctid = '(%,%)'"
    """A pattern for LIKE."""
    shown: str = "(0,a)"
    """The row that the query returns."""


OLD = "CREATE TABLE t (id int, number text{});"
SPLIT = "CREATE TABLE t (id int, number text) PARTITION BY RANGE (id);"
PARTS = "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t2 PARTITION OF t DEFAULT;"
KEYED = "CREATE TABLE p (id int, number text) PARTITION BY LIST (((number)::int % 2));"
HALF = "CREATE FUNCTION half(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 10 / i; END';"
CASES = {
    "index": Case("public.ti", OLD.format(""), OLD.format("") + "CREATE INDEX ti ON t ((number::int));"),
    "unique index": Case(
        "public.ti", OLD.format(""), OLD.format("") + "CREATE UNIQUE INDEX ti ON t ((number::int));"
    ),
    "predicate": Case(
        "public.ti", OLD.format(""), OLD.format("") + "CREATE INDEX ti ON t (id) WHERE number::int > 5;"
    ),
    "expression of the rows of a predicate": Case(
        "public.ti", OLD.format(""), OLD.format("") + "CREATE INDEX ti ON t ((number::int)) WHERE id <= 0;"
    ),
    "function": Case(
        "public.ti", OLD.format("") + HALF, OLD.format("") + HALF + "CREATE INDEX ti ON t (half(id));",
        error="division by zero",
    ),
    "check": Case("c on public.t", OLD.format(""), OLD.format(", CONSTRAINT c CHECK (number::int > 0)")),
    "stored column": Case(
        "public.t.n", OLD.format(""), OLD.format(", n int GENERATED ALWAYS AS (number::int) STORED")
    ),
    "stored column of a converted one": Case(
        "public.t.n", OLD.format(""),
        "CREATE TABLE t (id numeric(9,1), number text, n int GENERATED ALWAYS AS (10 / id) STORED);",
        error="division by zero",
    ),
    "exclusion": Case(
        "x on public.t", OLD.format(""), OLD.format(", CONSTRAINT x EXCLUDE ((number::int) WITH =)"),
        right="INSERT INTO t VALUES (1, '1'), (2, NULL)",
    ),
    "cast": Case(
        "public.t.id", OLD.format("").replace("int", "bigint"), OLD.format(""),
        wrong="INSERT INTO t VALUES (3000000000, 'a')", error="integer out of range",
        message="1 row would not fit integer", query="SELECT % FROM % WHERE %", shown="(3000000000,a)",
    ),
    "check over partitions": Case(
        "c on public.t", SPLIT + PARTS, SPLIT.replace("text)", "text, CONSTRAINT c CHECK (number::int > 0))") + PARTS,
        wrong="INSERT INTO t VALUES (1000000, 'a')", query="SELECT * FROM ONLY public.t2 WHERE ctid = '(%,%)'",
        shown="(1000000,a)",
    ),
    "partition key": Case(
        "public.t", KEYED + OLD.format(""), KEYED + "CREATE TABLE t PARTITION OF p FOR VALUES IN (0);",
        right="INSERT INTO t VALUES (2, '2')",
    ),
    "domain": Case(
        "d on public.d", "CREATE DOMAIN d AS text; CREATE TABLE t (id int, number d);",
        "CREATE DOMAIN d AS text CONSTRAINT d CHECK (value::int > 0); CREATE TABLE t (id int, number d);",
        query="SELECT true FROM (SELECT %", shown="",
    ),
}  # fmt: skip


def planned(case: Case, database: Callable[..., str], connection: psycopg.Connection) -> Draft:
    with psycopg.connect(database(), autocommit=True) as wanted:
        wanted.execute(case.new)
        with wanted.transaction():
            desired = read(wanted, list(registry().values()), alone=True)
    busy = frozenset({Address("table", ("public", "t"))})
    return draft(snapshot(connection), desired, EVERYTHING, MANAGED, busy=busy)


def hazards(found: Assessment) -> list[Hazard]:
    return [hazard for group in found.hazards.values() for hazard in group]


@pytest.mark.parametrize("name", CASES)
def test_the_error_is_the_finding(new_database: Callable[..., str], name: str) -> None:
    case = CASES[name]
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{case.old}; {case.right}")
        made = planned(case, new_database, connection)
        found = assess(made.changes, made.scene, connection)
        assert ([h for h in hazards(found) if h.hazard == "check"], found.unknown) == ([], [])
        connection.execute(case.wrong)
        (told,) = [h for h in hazards(assess(made.changes, made.scene, connection)) if h.hazard == "check"]
        assert (told.object, told.message) == (
            case.subject,
            case.message or f"a row raises an error: {case.error}",
        )
        like = connection.execute("SELECT %s LIKE %s", [told.query, case.query]).fetchone()
        assert like == (True,), told.query
        if case.shown:
            whole = connection.execute(f"SELECT r::text FROM ({told.query}) AS r").fetchall()
            assert whole == [(case.shown,)]
        else:
            with pytest.raises(psycopg.Error, match=case.error):
                connection.execute(told.query or "")
        with pytest.raises(psycopg.Error, match=case.error):
            execute(connection, made)


@pytest.mark.parametrize("name", CASES)
def test_without_the_row_it_is_applied(new_database: Callable[..., str], name: str) -> None:
    case = CASES[name]
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{case.old}; {case.right}")
        execute(connection, planned(case, new_database, connection))


WRITES = (
    "CREATE TABLE log (i int); CREATE FUNCTION half(i int) RETURNS int LANGUAGE plpgsql AS"
    " 'BEGIN INSERT INTO log VALUES (i); RETURN i; END';"
)
CHECKED = OLD.format(", CONSTRAINT c CHECK (half(id) > 0)")
UNKNOWN = {
    "function that the plan makes": (OLD.format(""), HALF + CHECKED, "c on public.t"),
    "function that the plan changes": (
        HALF + OLD.format(""),
        HALF.replace("10 / i", "i + 1") + CHECKED,
        "c on public.t",
    ),
    "function that writes": (WRITES + OLD.format(""), WRITES + CHECKED, "c on public.t"),
    "index with a function that the plan changes": (
        HALF + OLD.format(""),
        HALF.replace("10 / i", "i + 1") + OLD.format("") + "CREATE INDEX ti ON t (half(id));",
        "public.ti",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_says_nothing_of_a_row(new_database: Callable[..., str], name: str) -> None:
    old, new, subject = UNKNOWN[name]
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{old} INSERT INTO t VALUES (0, 'x')")
        made = planned(Case(subject, old, new), new_database, connection)
        found = assess(made.changes, made.scene, connection)
        assert [h for h in hazards(found) if h.hazard == "check"] == []
        assert found.unknown == [subject]


def test_a_volatile_function_is_called_once_for_a_row(new_database: Callable[..., str]) -> None:
    noisy = HALF.replace("IMMUTABLE", "VOLATILE").replace("BEGIN", "BEGIN RAISE NOTICE ''called''; ")
    calls: list[str] = []
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{noisy} {OLD.format('')} INSERT INTO t VALUES (1, 'a'), (2, 'b'), (0, 'c')")
        made = planned(Case("", "", noisy + CHECKED), new_database, connection)
        connection.add_notice_handler(lambda diagnostic: calls.append(diagnostic.message_primary or ""))
        (told,) = hazards(assess(made.changes, made.scene, connection))
        assert told.message == "a row raises an error: division by zero"
        assert calls == ["called"] * 3
        connection.execute("UPDATE t SET id = -1 WHERE id = 0")
        calls.clear()
        (told,) = hazards(assess(made.changes, made.scene, connection))
        assert (told.message, told.affected) == ("rows would violate it", None)
        assert calls == ["called"] * 3


def test_a_conversion_that_fails_is_told_once(new_database: Callable[..., str]) -> None:
    old = "CREATE TABLE t (id int, number text); CREATE INDEX ti ON t (number);"
    new = (
        "CREATE TABLE t (id int, number int UNIQUE CHECK (number > 0)); CREATE INDEX ti ON t ((number + 1));"
    )
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{old} INSERT INTO t VALUES (1, '1'), (2, 'x')")
        made = planned(Case("", old, new), new_database, connection)
        told = [h for h in hazards(assess(made.changes, made.scene, connection)) if h.hazard == "check"]
        assert [h.object for h in told] == ["public.t.number"]
