from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Placement, Scene
from tests.integration.kinds.conftest import Convert, passing, snapshot

SETUP = "CREATE SCHEMA s"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "CREATE TYPE s.e AS ENUM ('a', 'it''s', E'back\\\\slash')"),
        ("", 'CREATE TYPE s."Mood of day" AS ENUM ()'),
        ("CREATE TYPE s.e AS ENUM ('a')", ""),
        ("CREATE TYPE s.e AS ENUM ('a', 'b')", "CREATE TYPE s.e AS ENUM ('b')"),
        ("CREATE TYPE s.e AS ENUM ('a', 'b')", "CREATE TYPE s.e AS ENUM ('b', 'a')"),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("enum", old, new, setup=SETUP)


def test_labels_are_added_where_they_belong(convert: Convert) -> None:
    statements = convert(
        "enum",
        "CREATE TYPE s.e AS ENUM ('b', 'd')",
        "CREATE TYPE s.e AS ENUM ('0', 'a', 'b', 'c', 'd', 'e', 'f')",
        setup=SETUP,
    )
    assert statements == [
        "ALTER TYPE s.e ADD VALUE '0' BEFORE 'b'",
        "ALTER TYPE s.e ADD VALUE 'a' BEFORE 'b'",
        "ALTER TYPE s.e ADD VALUE 'c' BEFORE 'd'",
        "ALTER TYPE s.e ADD VALUE 'e'",
        "ALTER TYPE s.e ADD VALUE 'f'",
    ]


def test_an_added_label_is_committed_before_use(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE TYPE e AS ENUM ('a')")
    live = snapshot(database)
    with passing(database, "DROP TYPE e; CREATE TYPE e AS ENUM ('a', 'b')") as desired:
        pass
    (old,) = (o for o in live if o.kind == "enum")
    steps = registry()["enum"].alter(
        old, desired[old.address], frozenset({"labels"}), Scene(live, desired, 180000)
    )
    assert steps is not None
    assert [step.placement for step in steps] == [Placement.APART]


@pytest.mark.parametrize(
    ("column", "value", "harm"),
    [
        ("e", "'a'", False),
        ("e", "'b'", True),
        ("e[]", "'{a,a}'", False),
        ("e[]", "'{a,b}'", True),
        ("d", "'b'", True),
        ("c", "'(1,b)'", True),
        ("c", "'(1,a)'", False),
    ],
)
def test_a_removed_label_is_narrowing_where_it_is_stored(
    database: psycopg.Connection[Any], column: str, value: str, harm: bool
) -> None:
    rest = f"; CREATE DOMAIN d AS e; CREATE TYPE c AS (n int, m e); CREATE TABLE t (v {column})"
    with passing(database, "CREATE TYPE e AS ENUM ('a')" + rest) as desired:
        pass
    database.execute("CREATE TYPE e AS ENUM ('a', 'b')" + rest)
    database.execute(f"INSERT INTO t VALUES ({value})")
    live = snapshot(database)
    (old,) = (o for o in live if o.kind == "enum")
    (risk,) = registry()["enum"].risks(old, None, frozenset(), Scene(live, desired, 180000))
    assert (risk.hazard, risk.subject) == ("narrowing", "public.e")
    assert risk.exists is not None
    assert database.execute(risk.exists).fetchall() == [(harm,)]
