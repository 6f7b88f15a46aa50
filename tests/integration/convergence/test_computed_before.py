"""A function, or a text search configuration, changes under what was computed with it: that is told, with what to do."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

F = "CREATE FUNCTION f(int) RETURNS int IMMUTABLE {} LANGUAGE sql AS 'SELECT {}';"
TWICE, THRICE = F.format("", "$1 * 2"), F.format("", "$1 * 3")
T = "CREATE TABLE t (a int{});"
G = "CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN f($1);"
OPERATOR = (
    "CREATE FUNCTION f(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 {} $2';"
    "CREATE OPERATOR === (leftarg = int, rightarg = int, procedure = f);"
    "CREATE TABLE t (a int); CREATE INDEX i ON t (a) WHERE a === 1;"
)
SEARCH = (
    "CREATE TEXT SEARCH DICTIONARY d (template = simple {}); CREATE TEXT SEARCH CONFIGURATION c (copy = simple);"
    "ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR asciiword WITH {};"
    "CREATE TABLE t (a text); CREATE INDEX i ON t USING gin (to_tsvector('c', a));"
)

# What keeps results of f, and what is told of it.
KEPT = {
    "index": (T.format("") + "CREATE INDEX i ON t (f(a))", "index public.i would keep what the old one computed"),
    "predicate": (T.format("") + "CREATE INDEX i ON t (a) WHERE f(a) > 2", "index public.i would keep what the old one computed"),
    "another function in between": (G + T.format("") + "CREATE INDEX i ON t (g(a))", "index public.i would keep what the old one computed"),
    "exclusion constraint": (T.format(", EXCLUDE (f(a) WITH =)"), "index public.t_f_excl would keep what the old one computed"),
    "stored column": (T.format(", b int GENERATED ALWAYS AS (f(a)) STORED"), "column public.t.b would keep"),
    "check": (T.format(", CHECK (f(a) < 9)"), "t_a_check on public.t would not be held against"),
    "domain": (
        "CREATE DOMAIN d AS int CHECK (f(VALUE) < 9);" + T.format("").replace("a int", "a d"),
        "d_check on public.d would not be held against",
    ),
    "partition key": (
        "CREATE TABLE t (a int) PARTITION BY RANGE (f(a)); CREATE TABLE t1 PARTITION OF t DEFAULT;",
        "rows of public.t would stay in the partitions",
    ),
    "index of partitions": (
        "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE t1 PARTITION OF t DEFAULT; CREATE INDEX i ON t (f(a))",
        "index public.i would keep what the old one computed",
    ),
}  # fmt: skip

# From a schema to another, both without harm.
HARMLESS = {
    "index that goes": (TWICE + T.format("") + "CREATE INDEX i ON t (f(a))", THRICE + T.format("")),
    "index made anew": (
        TWICE + T.format("") + "CREATE INDEX i ON t (f(a))", THRICE + T.format("") + "CREATE INDEX i ON t (f(a), a)"
    ),
    "cost": (TWICE + KEPT["index"][0], F.format("COST 7", "$1 * 2") + KEPT["index"][0]),
    "default": (TWICE + T.format(" DEFAULT f(1)"), THRICE + T.format(" DEFAULT f(1)")),
    "another type of the result": (
        TWICE + T.format("") + "CREATE INDEX i ON t (f(a))",
        THRICE.replace("RETURNS int", "RETURNS bigint") + T.format("") + "CREATE INDEX i ON t (f(a))",
    ),
    "rows that are not checked yet": (
        TWICE + T.format("") + "ALTER TABLE t ADD CHECK (f(a) < 9) NOT VALID",
        THRICE + T.format("") + "ALTER TABLE t ADD CHECK (f(a) < 9) NOT VALID",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_results_that_are_kept(new_database: Callable[..., str], name: str) -> None:
    kept, message = KEPT[name]
    desired = declared(new_database(), THRICE + kept)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TWICE + kept)
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES (2)")
        (hazard,) = told(connection, desired, carry_out=True)
        assert hazard.consent == "behaviour:public.f(integer)"
        assert hazard.message.startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "subject"),
    [
        (OPERATOR.format("="), OPERATOR.format("<"), "public.f(integer,integer)"),
        (SEARCH.format("", "simple"), SEARCH.format("", "d"), "public.c"),
        (SEARCH.format("", "d"), SEARCH.format(", accept = false", "d"), "public.d"),
    ],
)
def test_what_computes_need_not_be_a_function_in_the_index(
    new_database: Callable[..., str], old: str, new: str, subject: str
) -> None:
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES ('1')")
        (hazard,) = told(connection, desired, carry_out=True)
        assert hazard.consent == f"behaviour:{subject}"
        assert "REINDEX INDEX CONCURRENTLY public.i" in hazard.message


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_computed_again_or_kept_nowhere(new_database: Callable[..., str], name: str) -> None:
    old, new = HARMLESS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        connection.execute("INSERT INTO t VALUES (2)")
        assert told(connection, desired, carry_out=True) == []
