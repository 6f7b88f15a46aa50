from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.kinds.conftest import Convert, snapshot
from tests.integration.kinds.converge import converge

EQUAL = "CREATE OPERATOR s.=== (function = int4eq, leftarg = int, rightarg = int"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", EQUAL + ")"),
        ("", EQUAL + ", commutator = OPERATOR(s.===), restrict = eqsel, join = eqjoinsel, hashes, merges)"),
        ("", "CREATE OPERATOR s.!! (function = int4um, rightarg = int)"),
        (
            "",
            "CREATE OPERATOR s.<<< (function = int4lt, leftarg = int, rightarg = int, commutator = OPERATOR(s.>>>));"
            "CREATE OPERATOR s.>>> (function = int4gt, leftarg = int, rightarg = int)",
        ),
        ("", EQUAL + ", negator = OPERATOR(s.!==))"),  # leaves a shell
        (EQUAL + ")", ""),
        (EQUAL + ")", EQUAL.replace("int4eq", "int4ne") + ")"),
        (EQUAL + ")", EQUAL + ", hashes, merges)"),
        (EQUAL + ", hashes)", EQUAL + ")"),
        (EQUAL + ")", EQUAL + ", commutator = OPERATOR(s.===))"),
        (
            EQUAL + ", negator = OPERATOR(s.!==))",
            EQUAL + ", negator = OPERATOR(s.!==));"
            "CREATE OPERATOR s.!== (function = int4ne, leftarg = int, rightarg = int)",
        ),
    ],
)
def test_create_alter_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("operator", old, new, setup="CREATE SCHEMA s")


def test_estimators(convert: Convert) -> None:
    assert convert(
        "operator", EQUAL + ", restrict = eqsel)", EQUAL + ", join = eqjoinsel)", setup="CREATE SCHEMA s"
    ) == ["ALTER OPERATOR s.=== (integer, integer) SET (restrict = NONE, join = eqjoinsel)"]


def test_a_new_commutator_makes_its_link_itself(convert: Convert) -> None:
    less = "CREATE OPERATOR s.<<< (function = int4lt, leftarg = int, rightarg = int"
    greater = "CREATE OPERATOR s.>>> (function = int4gt, leftarg = int, rightarg = int"
    new = f"{less}, commutator = OPERATOR(s.>>>)); {greater}, commutator = OPERATOR(s.<<<))"
    (statement,) = convert("operator", f"{less})", new, setup="CREATE SCHEMA s")
    assert statement.startswith("CREATE OPERATOR s.>>>")


def test_a_shell_is_seen(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE SCHEMA s;" + EQUAL + ", negator = OPERATOR(s.!==))")
    found = snapshot(database)
    assert found.unmodelled == ()
    assert [o["function"] for o in found if o.kind == "operator"] == ["int4eq", None]


LEFT = EQUAL + ", negator = OPERATOR(s.!==)); DROP OPERATOR s.=== (int, int)"


def test_a_shell_that_nothing_names_makes_no_difference(database: psycopg.Connection[Any]) -> None:
    """It is left of an operator that is gone; no statement makes one."""
    assert converge(database, "CREATE SCHEMA s; " + LEFT, "CREATE SCHEMA s") == []


def test_a_shell_goes_with_what_it_would_hold(database: psycopg.Connection[Any]) -> None:
    assert converge(database, "CREATE SCHEMA s; " + LEFT, "") == [
        "DROP OPERATOR s.!== (integer, integer)",
        "DROP SCHEMA s",
    ]


def test_a_shell_goes_with_its_type(database: psycopg.Connection[Any]) -> None:
    own = """
        CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a');
        CREATE FUNCTION s.eq(s.e, s.e) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR s.=== (function = s.eq, leftarg = s.e, rightarg = s.e, negator = OPERATOR(s.!==))
    """
    converge(database, own, "CREATE SCHEMA s")


def test_a_link_to_a_shell(database: psycopg.Connection[Any]) -> None:
    less = "CREATE SCHEMA s; CREATE OPERATOR s.<<< (function = int4lt, leftarg = int, rightarg = int"
    converge(
        database, f"{less})", f"{less}, commutator = OPERATOR(s.>>>), negator = OPERATOR(s.>==))", f"{less})"
    )
