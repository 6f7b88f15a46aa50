from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Convert, passing, snapshot

# Functions in C of the server itself, under the signatures that a type of one's own needs.
FUNCTIONS = """
CREATE TYPE s.b;
CREATE FUNCTION s.b_in(cstring) RETURNS s.b IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION s.b_out(s.b) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE FUNCTION s.b_recv(internal) RETURNS s.b STABLE STRICT LANGUAGE internal AS 'textrecv';
CREATE FUNCTION s.b_send(s.b) RETURNS bytea STABLE STRICT LANGUAGE internal AS 'textsend';
"""
IN_AND_OUT = "input = s.b_in, output = s.b_out"
EVERYTHING = f"""
    {IN_AND_OUT}, receive = s.b_recv, send = s.b_send, typmod_in = varchartypmodin,
    typmod_out = varchartypmodout, analyze = array_typanalyze, internallength = variable, alignment = double,
    storage = extended, category = 'X', preferred = true, default = 'it''s', delimiter = ';', collatable = true
"""


@pytest.mark.parametrize("definition", [IN_AND_OUT, EVERYTHING, "like = text, " + IN_AND_OUT])
def test_a_shell_is_completed(convert: Convert, definition: str) -> None:
    convert("base type", "", f"CREATE TYPE s.b ({definition})", setup="CREATE SCHEMA s;" + FUNCTIONS)


def test_element_and_fixed_length(convert: Convert) -> None:
    functions = """
    CREATE SCHEMA s; CREATE TYPE s.b;
    CREATE FUNCTION s.b_in(cstring) RETURNS s.b IMMUTABLE STRICT LANGUAGE internal AS 'point_in';
    CREATE FUNCTION s.b_out(s.b) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'point_out';
    """
    definition = f"{IN_AND_OUT}, internallength = 16, alignment = double, element = float8"
    subscript = ", subscript = raw_array_subscript_handler"
    convert("base type", "", f"CREATE TYPE s.b ({definition}{subscript})", setup=functions)


@pytest.mark.parametrize(
    ("old", "new", "statement"),
    [
        (
            f"{IN_AND_OUT}, send = s.b_send, storage = extended",
            f"{IN_AND_OUT}, receive = s.b_recv, storage = main",
            "ALTER TYPE s.b SET (receive = s.b_recv, send = NONE, storage = main)",
        ),
        (
            IN_AND_OUT,
            f"{IN_AND_OUT}, typmod_in = varchartypmodin, typmod_out = varchartypmodout, analyze = array_typanalyze",
            "ALTER TYPE s.b SET (typmod_in = varchartypmodin, typmod_out = varchartypmodout,"
            " analyze = array_typanalyze)",
        ),
    ],
)
def test_alter(database: psycopg.Connection[Any], old: str, new: str, statement: str) -> None:
    database.execute("CREATE SCHEMA s")
    with passing(database, f"{FUNCTIONS} CREATE TYPE s.b ({new})") as desired:
        pass
    database.execute(f"{FUNCTIONS} CREATE TYPE s.b ({old})")
    live = snapshot(database)
    (before,) = (o for o in live if o.kind == "base type")
    after = desired[before.address]
    changed = frozenset(a for a in after.attributes if before[a] != after[a])
    kind = registry()["base type"]
    steps = kind.alter(before, after, changed, Scene(live, desired, database.info.server_version))
    assert [step.sql for step in steps or ()] == [statement]
    database.execute(statement)
    assert snapshot(database)[before.address].attributes == after.attributes


def test_a_shell_alone(convert: Convert) -> None:
    assert convert("base type", "", "CREATE TYPE later") == ["CREATE TYPE public.later"]


def test_the_stub_is_a_shell(database: psycopg.Connection[Any]) -> None:
    with passing(database, f"CREATE SCHEMA s; {FUNCTIONS} CREATE TYPE s.b ({IN_AND_OUT})") as desired:
        (obj,) = (o for o in desired if o.kind == "base type")
    (step,) = registry()["base type"].stub(obj) or []
    database.execute(f"CREATE SCHEMA s; {step.sql}")
    assert [o["defined"] for o in snapshot(database) if o.kind == "base type"] == [False]
