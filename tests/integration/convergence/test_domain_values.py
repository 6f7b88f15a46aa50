"""A domain that gets another base type: the values of it are looked at wherever a column holds them."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

MONEY = "CREATE DOMAIN d AS numeric(10,{}) {};"

# What holds values of d, a row with 1.2345 and 2.5 in it, and the query that shows both.
HOLDERS = {
    "column": ("CREATE TABLE t (a d, b d);", "(1.2345, 2.5)"),
    "array": ("CREATE TABLE t (a d[]);", "('{{1.2345,NULL},{2.5,NULL}}')"),
    "composite": ("CREATE TYPE c AS (x int, y d); CREATE TABLE t (a c, b c, e c);", "((1, 1.2345), (1, 2.5), NULL)"),
    "array of composites": (
        "CREATE TYPE c AS (x int, y d); CREATE TABLE t (a c[]);", "(ARRAY[(1, 1.2345), (2, 2.5), (3, NULL)]::c[])"
    ),
    "array in a composite": ("CREATE TYPE c AS (y d[]); CREATE TABLE t (a c);", "(ROW('{1.2345,2.5}'))"),
    "domain over it": ("CREATE DOMAIN e AS d; CREATE TABLE t (a e, b e[]);", "(1.2345, '{2.5}')"),
    "domain of arrays": ("CREATE DOMAIN e AS d[]; CREATE TABLE t (a e);", "('{1.2345,2.5}')"),
    "range": ("CREATE TYPE r AS RANGE (subtype = d); CREATE TABLE t (a r, b r);", "('[1.2345,2.5]', '(,)')"),
    "multirange": (
        "CREATE TYPE r AS RANGE (subtype = d); CREATE TABLE t (a r_multirange);".replace("r_multi", "multi_")
        .replace("(subtype = d)", "(subtype = d, multirange_type_name = multi_range)"),
        "('{[1.2345,2.5]}')",
    ),
    "partition": (
        "CREATE TABLE t (k int, a d, b d) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF t DEFAULT;",
        "(1, 1.2345, 2.5)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOLDERS)
def test_values_that_do_not_come_back_are_counted(new_database: Callable[..., str], name: str) -> None:
    holders, row = HOLDERS[name]
    desired = declared(new_database(), MONEY.format(2, "") + holders)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(MONEY.format(4, "") + holders)
        assert told(connection, desired) == []
        connection.execute(f"INSERT INTO t VALUES {row}")
        (hazard,) = told(connection, desired)
        assert (hazard.consent, hazard.affected) == ("narrowing:public.d", 1)
        assert hazard.query is not None
        (lost,) = connection.execute(hazard.query).fetchall()
        assert str(lost[-1]) == "1.2345"


def test_texts_that_would_be_cut_off(new_database: Callable[..., str]) -> None:
    made = "CREATE DOMAIN d AS varchar({}); CREATE TABLE t (a d)"
    desired = declared(new_database(), made.format(5))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(made.format(10) + "; INSERT INTO t VALUES ('abcdefghij'), ('abc')")
        (hazard,) = told(connection, desired, carry_out=True)
        assert (hazard.consent, hazard.affected, hazard.total) == ("narrowing:public.d", 1, 2)
        assert connection.execute("SELECT a FROM t ORDER BY a DESC").fetchone() == ("abcde",)


@pytest.mark.parametrize(
    ("before", "after"), [("varchar(5)", "text"), ("numeric(10,2)", "numeric(12,4)"), ("int", "bigint")]
)
def test_a_wider_base_type_harms_nothing(new_database: Callable[..., str], before: str, after: str) -> None:
    made = "CREATE DOMAIN d AS {}; CREATE TABLE t (a d, b d[])"
    desired = declared(new_database(), made.format(after))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(made.format(before) + "; INSERT INTO t VALUES ('1234', '{12,34}')")
        assert told(connection, desired, carry_out=True) == []


def test_what_is_rounded_is_checked_as_it_will_be(new_database: Callable[..., str]) -> None:
    holders = "CREATE TYPE c AS (x d); CREATE TABLE t (a c)"
    desired = declared(new_database(), MONEY.format(1, "CHECK (VALUE > 1.2)") + holders)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(MONEY.format(2, "CHECK (VALUE > 1.2)") + holders)
        connection.execute("INSERT INTO t VALUES (ROW(1.23)), (ROW(1.3))")
        hazards = {h.hazard: (h.object, h.affected) for h in told(connection, desired)}
        assert hazards == {"narrowing": ("public.d", 1), "check": ("d_check on public.d", 1)}
