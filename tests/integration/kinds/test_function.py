from __future__ import annotations

import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Connection, Convert, passing, snapshot

SETUP = """
CREATE SCHEMA s;
CREATE TABLE s.t (a int, b text);
CREATE FUNCTION s.helper(internal) RETURNS internal LANGUAGE internal AS 'generate_series_int4_support';
"""


def function(rest: str, arguments: str = "", returns: str = "int", body: str = "AS 'SELECT 1'") -> str:
    return f"CREATE FUNCTION s.f({arguments}) RETURNS {returns} LANGUAGE sql {rest} {body}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", function("")),
        (function(""), ""),
        (function("", "text"), ""),
        (
            "",
            function("IMMUTABLE STRICT LEAKPROOF SECURITY DEFINER PARALLEL SAFE COST 7 SET work_mem = '1MB'"),
        ),
        ("", function("ROWS 3", "a int, VARIADIC r int[] DEFAULT '{}'", "SETOF int")),
        ("", function("", "a int", "TABLE (x int, y text)", "AS 'SELECT 1, null'")),
        ("", 'CREATE FUNCTION "F f"(IN a int, OUT b int, INOUT "C c" s.t) LANGUAGE plpgsql AS $$BEGIN END$$'),
        ("", function("", body="BEGIN ATOMIC SELECT a FROM s.t; SELECT 2; END")),
        ("", function("", "a int", body="RETURN a + 1")),
        ("", "CREATE FUNCTION s.f() RETURNS int LANGUAGE internal WINDOW AS 'window_row_number'"),
        ("", "CREATE FUNCTION s.f(cstring) RETURNS int LANGUAGE internal AS 'int4in'"),
        ("", "CREATE TYPE s.r AS RANGE (subtype = int); " + function("", "s.r")),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    if "AS RANGE" in new:
        statement, new = new.split("; ")
        convert("function", old, new, setup=f"{SETUP}; {statement}")
    else:
        convert("function", old, new, setup=SETUP)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (function(""), function("", body="AS 'SELECT 2'")),
        (function(""), function("", body="RETURN 2")),
        (function(""), "CREATE FUNCTION s.f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"),
        (function(""), function("IMMUTABLE STRICT LEAKPROOF SECURITY DEFINER PARALLEL SAFE COST 7")),
        (function("IMMUTABLE STRICT LEAKPROOF SECURITY DEFINER PARALLEL SAFE COST 7"), function("")),
        (function("SET work_mem = '1MB' SET search_path = ''"), function("SET search_path = s, pg_temp")),
        (function("SET work_mem = '1MB'"), function("")),
        (function("ROWS 5", returns="SETOF int"), function("SUPPORT s.helper", returns="SETOF int")),
        (function("SUPPORT s.helper", returns="SETOF int"), function("", returns="SETOF int")),
        (function("", "int, b int"), function("", "a int, b int")),
        (function("", "a int"), function("", "a int DEFAULT 1")),
        (function("", "a int DEFAULT 1"), function("", "a int DEFAULT 2")),
        (function("", "a int, b int DEFAULT 2"), function("", "a int DEFAULT 1, b int DEFAULT 2")),
        (function("", "OUT a int"), function("", "OUT b int")),
        (function("", "a int[]"), function("", "VARIADIC a int[]")),
        (function("", "a int"), function("", "INOUT a int")),
    ],
)
def test_is_replaced(convert: Convert, old: str, new: str) -> None:
    (statement,) = convert("function", old, new, setup=SETUP)
    assert statement.startswith("CREATE OR REPLACE FUNCTION s.f(")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (function(""), function("", returns="bigint")),
        (function(""), function("", returns="SETOF int")),
        (function("", "a int"), function("", "b int")),
        (function("", "a int"), function("", "int")),
        (function("", "a int DEFAULT 1"), function("", "a int")),
        (function("", "a anyelement DEFAULT 1"), function("", "a anyelement DEFAULT 'x'::text")),
        (
            function("", "OUT a int, OUT b int", "record", "AS 'SELECT 1, 2'"),
            function("", "OUT a int, OUT c int", "record", "AS 'SELECT 1, 2'"),
        ),
        (
            function("", "", "TABLE (a int, b int)", "AS 'SELECT 1, 2'"),
            function("", "", "TABLE (a int, c int)", "AS 'SELECT 1, 2'"),
        ),
        (
            function("", "a int, INOUT b int, OUT c int", "record", "AS 'SELECT 1, 2'"),
            function("", "a int, b int, OUT b2 int, OUT c int", "record", "AS 'SELECT 1, 2'"),
        ),
        (
            "CREATE FUNCTION s.f() RETURNS bigint LANGUAGE internal AS 'window_row_number'",
            "CREATE FUNCTION s.f() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number'",
        ),
    ],
)
def test_is_rebuilt_where_callers_would_notice(convert: Convert, old: str, new: str) -> None:
    drop, create = convert("function", old, new, setup=SETUP)
    assert drop.startswith("DROP FUNCTION s.f(")
    assert create.startswith("CREATE FUNCTION s.f(")


def test_only_a_parsed_body_refuses_that_a_column_changes_type(database: Connection) -> None:
    database.execute(SETUP + function("", body="BEGIN ATOMIC SELECT a FROM s.t; END"))
    database.execute("CREATE FUNCTION s.g() RETURNS int LANGUAGE sql AS 'SELECT a FROM s.t'")
    kind = registry()["function"]
    functions = [o for o in snapshot(database) if o.kind == "function"]
    refused = {o.name: kind.refused(o) for o in functions}
    assert refused == {"f": {"column type", "attribute type"}, "g": frozenset(), "helper": frozenset()}


def test_a_stub_is_replaced(database: Connection) -> None:
    database.execute(SETUP + "; SET check_function_bodies = off")
    text = function("IMMUTABLE", "a int DEFAULT 1, OUT c int", body="BEGIN ATOMIC SELECT a; END")
    with passing(database, text) as desired:
        pass
    (new,) = (o for o in desired if o.kind == "function" and o.name == "f")
    kind = registry()["function"]
    stub = kind.stub(new)
    assert stub
    scene = Scene(desired, desired, 180000, stubbed=frozenset({new.address}))
    for step in stub + kind.create(new, (), scene):
        database.execute(step.sql)
    assert snapshot(database)[new.address].attributes == new.attributes
