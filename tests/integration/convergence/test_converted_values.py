"""What a conversion makes of the values: which are changed, which PostgreSQL refuses, and which only look different."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

TABLE = "CREATE TABLE t (a {});"
COMPOSITE = "CREATE TYPE c AS (x int, y text);"
TEXTS = "CREATE TYPE c AS ({0} text, {1} text);"
ARRAY, DOMAIN, WITHIN = "CREATE TABLE t (a c[])", "CREATE DOMAIN d AS c; CREATE TABLE t (a d)", (
    "CREATE TYPE o AS (c c); CREATE TABLE t (a o)"
)  # fmt: skip

EQUAL = [
    ("numeric", "numeric(20,4)", "1.25"), ("numeric[]", "numeric(20,4)[]", "{1.25,NULL}"), ("char(5)", "varchar(5)", "ab"),
    ("double precision", "numeric", "-0"), ("jsonb", "json", '{"b": 1, "a": 2}'), ("int", "smallint", "7"),
    ('text COLLATE "C"', "int", "7"),
]  # fmt: skip
CHANGED = [
    ("numeric", "numeric(20,1)", "1.25", "1 value would be changed"),
    ("double precision", "real", "0.1", "1 value would be changed"),
    ("timestamp", "date", "2024-01-01 10:00", "1 value would be changed"),
    ("json", "jsonb", '{"a":1, "a":2}',
     "1 value would be written otherwise: jsonb keeps no white space, no order of keys and one of equal keys"),
]  # fmt: skip
REFUSED = [
    ("numeric", "numeric(5,2)", "123456"), ("int", "smallint", "70000"), ("numeric", "int", "1e12"),
    ("int[]", "smallint[]", "{1,70000}"), ("double precision", "bigint", "Infinity"),
]  # fmt: skip
BY_POSITION = {
    "array": (ARRAY, "(ARRAY[ROW({0})::c])"),
    "domain": (DOMAIN, "(ROW({0}))"),
    "composite": (WITHIN, "(ROW(ROW({0})::c))"),
}


@pytest.mark.parametrize(("before", "after", "value"), EQUAL)
def test_equal_values_are_no_loss(
    new_database: Callable[..., str], before: str, after: str, value: str
) -> None:
    desired = declared(new_database(), TABLE.format(after))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TABLE.format(before))
        connection.execute(
            f"INSERT INTO t VALUES (CAST(%s::text AS {before.partition(' COLLATE')[0]})), (NULL)", [value]
        )
        assert told(connection, desired, carry_out=True) == []


@pytest.mark.parametrize(("before", "after", "value", "message"), CHANGED)
def test_changed_values_are_counted(
    new_database: Callable[..., str], before: str, after: str, value: str, message: str
) -> None:
    desired = declared(new_database(), TABLE.format(after))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TABLE.format(before))
        connection.execute(f"INSERT INTO t VALUES (%s::text::{before}), (NULL)", [value])
        found = [(h.consent, h.message) for h in told(connection, desired, carry_out=True)]
        assert found == [("narrowing:public.t.a", message)]


@pytest.mark.parametrize(("before", "after", "value"), REFUSED)
def test_what_the_cast_refuses_is_a_refusal(
    new_database: Callable[..., str], before: str, after: str, value: str
) -> None:
    desired = declared(new_database(), TABLE.format(after))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TABLE.format(before))
        connection.execute(f"INSERT INTO t VALUES (%s::text::{before}), (NULL)", [value])
        found = [(h.consent, h.affected) for h in told(connection, desired)]
        assert found == [("check:public.t.a", 1)]
        with pytest.raises(psycopg.DataError):
            told(connection, desired, carry_out=True)


def test_a_cast_that_only_the_server_knows(new_database: Callable[..., str]) -> None:
    """Its failure is the answer: nothing else tells what the type of an extension refuses."""
    seconds = "CREATE FUNCTION strict(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1::int';"
    table = "CREATE TYPE e AS ENUM ('1', 'x');" + seconds
    cast = "CREATE FUNCTION number(e) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT strict($1::text)'; CREATE CAST (e AS int) WITH FUNCTION number(e);"
    desired = declared(new_database(), table + cast + TABLE.format("int"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute("SET search_path = public; " + table + cast + TABLE.format("e"))
        connection.execute("INSERT INTO t VALUES ('1')")
        assert [h.consent for h in told(connection, desired)] == []
        connection.execute("INSERT INTO t VALUES ('x')")
        assert [h.consent for h in told(connection, desired)] == ["check:public.t.a"]


def test_what_the_base_type_of_a_domain_does_not_read(new_database: Callable[..., str]) -> None:
    domain = "CREATE DOMAIN d AS numeric(8,3);"
    desired = declared(new_database(), domain + TABLE.format("d"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(domain + TABLE.format("timestamp"))
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES ('2020-01-01')")
        assert [h.consent for h in told(connection, desired)] == ["check:public.t.a"]
        with pytest.raises(psycopg.DataError):
            told(connection, desired, carry_out=True)


@pytest.mark.since(16, "pg_input_is_valid()")
@pytest.mark.parametrize("name", BY_POSITION)
def test_a_composite_within_another_type_is_read_by_position(
    new_database: Callable[..., str], name: str
) -> None:
    holder, row = BY_POSITION[name]
    swapped = "CREATE TYPE c AS (y text, x int);"
    desired = declared(new_database(), swapped + holder)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(COMPOSITE + holder)
        connection.execute(f"INSERT INTO t VALUES (NULL), {row.format('1, $$5$$')}")
        (hazard,) = told(connection, desired)
        says = "1 value would be read by position: x as y, y as x"
        assert (hazard.consent, hazard.message) == ("data-loss:public.c", says)
        connection.execute(f"INSERT INTO t VALUES {row.format('1, $$q$$')}")
        found = {h.consent: h.affected for h in told(connection, desired)}
        assert found == {"data-loss:public.c": 2, "check:public.c": 1}
        with pytest.raises(psycopg.DataError):
            told(connection, desired, carry_out=True)


def test_a_composite_with_another_number_of_attributes(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), "CREATE TYPE c AS (x int, z int, y text);" + ARRAY)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(COMPOSITE + ARRAY)
        connection.execute("INSERT INTO t VALUES (NULL), ('{}')")
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES (ARRAY[ROW(1, 'q')::c])")
        (hazard,) = told(connection, desired)
        says = "1 value would have another number of attributes than public.c"
        assert (hazard.consent, hazard.message) == ("check:public.c", says)
        with pytest.raises(psycopg.DataError):
            told(connection, desired, carry_out=True)


def test_a_column_of_the_composite_keeps_its_attributes_by_name(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), TEXTS.format("y", "x") + TABLE.format("c"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TEXTS.format("x", "y") + TABLE.format("c"))
        connection.execute("INSERT INTO t VALUES (ROW('1', '2'))")
        assert told(connection, desired, carry_out=True) == []
        assert connection.execute("SELECT (a).x, (a).y FROM t").fetchone() == ("1", "2")


@pytest.mark.since(16, "pg_input_is_valid()")
def test_an_attribute_of_another_type(new_database: Callable[..., str]) -> None:
    """It is looked at as a column is: what fits is no hazard, what does not is changed or refused."""
    desired = declared(new_database(), "CREATE TYPE c AS (x smallint, y numeric(6,1));" + TABLE.format("c"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute("CREATE TYPE c AS (x int, y numeric);" + TABLE.format("c"))
        connection.execute("INSERT INTO t VALUES (ROW(1, 2.50))")
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES (ROW(1, 2.55))")
        (hazard,) = told(connection, desired)
        assert (hazard.consent, hazard.message) == ("narrowing:public.c.y", "1 value would be changed")
        connection.execute("INSERT INTO t VALUES (ROW(70000, 2))")
        assert "check:public.c" in {h.consent for h in told(connection, desired)}
        with pytest.raises(psycopg.DataError):
            told(connection, desired, carry_out=True)
