"""Objects that need each other are dropped at once, and nothing else with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.integration.convergence.conftest import Converge

BASE = """
    CREATE TYPE b;
    CREATE FUNCTION b_in(cstring) RETURNS b IMMUTABLE STRICT LANGUAGE internal AS '{input}in';
    CREATE FUNCTION b_out(b) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS '{input}out';
    CREATE TYPE b (input = b_in, output = b_out{options});
    CREATE FUNCTION same(b, b) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'texteq';
    CREATE OPERATOR === (function = same, leftarg = b, rightarg = b, negator = OPERATOR(!==))
"""
TEXT = BASE.format(input="text", options="")


def test_what_needs_the_whole_type_waits_for_it(converge: Converge) -> None:
    """SQL functions take no type that is only a shell."""
    converge("", TEXT + "; CREATE FUNCTION a(b) RETURNS int LANGUAGE sql AS 'SELECT 1'")


def test_base_type_goes(converge: Converge) -> None:
    statements = converge(TEXT + "; CREATE DOMAIN d AS b; CREATE TABLE t (x b, y d[])", "")
    [at_once] = [s for s in statements if "DROP OWNED" in s]
    assert [line.split()[1] for line in at_once.splitlines() if "OWNER TO" in line] == [
        "TYPE",
        "FUNCTION",
        "FUNCTION",
    ]
    assert not [s for s in statements if "CASCADE" in s]


def test_base_type_is_made_anew(converge: Converge) -> None:
    converge(TEXT, BASE.format(input="text", options=", alignment = double"))


def test_range_with_a_canonical_function_goes(converge: Converge) -> None:
    made = """
        CREATE TYPE r;
        CREATE FUNCTION c(r) RETURNS r IMMUTABLE STRICT LANGUAGE internal AS 'int4range_canonical';
        CREATE TYPE r AS RANGE (subtype = int, canonical = c)
    """
    converge(made, "")


def test_what_appeared_meanwhile_stays(converge: Converge, new_database: Callable[..., str]) -> None:
    at_once = next(s for s in converge(TEXT, "") if "DROP OWNED" in s)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(BASE.partition("CREATE FUNCTION same")[0].format(input="text", options=""))
        connection.execute("CREATE TABLE kept (x b)")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            connection.execute(at_once)
        found: Any = connection.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = 'novaops_passing'"
        ).fetchone()
        assert found == (0,)
