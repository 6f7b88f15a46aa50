from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Convert, passing, snapshot

SETUP = "CREATE SCHEMA s; CREATE FUNCTION s.gap(text, text) RETURNS float8 IMMUTABLE LANGUAGE sql RETURN 1"


@pytest.mark.parametrize(
    "definition",
    [
        "subtype = float8",
        "subtype = float8, subtype_diff = float8mi",
        'subtype = text, subtype_opclass = text_pattern_ops, collation = "C", subtype_diff = s.gap',
        'subtype = float8, multirange_type_name = "Many of r"',
    ],
)
def test_create_alter_and_drop(convert: Convert, definition: str) -> None:
    convert("range", "", f"CREATE TYPE s.r AS RANGE ({definition})", setup=SETUP)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CREATE TYPE s.r AS RANGE (subtype = float8)", ""),
        ("CREATE TYPE s.r AS RANGE (subtype = float8)", "CREATE TYPE s.r AS RANGE (subtype = int8)"),
        (
            "CREATE TYPE s.r AS RANGE (subtype = float8)",
            "CREATE TYPE s.r AS RANGE (subtype = float8, multirange_type_name = s.rr)",
        ),
    ],
)
def test_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("range", old, new, setup=SETUP)


def test_the_old_one_makes_room_for_the_new(database: psycopg.Connection[Any]) -> None:
    database.execute('CREATE SCHEMA s; CREATE TYPE s."R" AS RANGE (subtype = float8)')
    live = snapshot(database)
    with passing(
        database, 'DROP TYPE s."R"; CREATE TYPE s."R" AS RANGE (subtype = float8, subtype_diff = float8mi)'
    ) as desired:
        pass
    (old,) = (o for o in live if o.kind == "range")
    kind = registry()["range"]
    scene = Scene(live, desired, 180000)
    steps, aside = kind.aside(old, scene)
    for step in steps:
        database.execute(step.sql)
    renamed = snapshot(database)[aside.address]
    assert (renamed.identity, renamed.name, renamed.attributes) == (
        aside.identity,
        aside.name,
        aside.attributes,
    )
    for step in kind.create(desired[old.address], (), scene) + kind.drop(aside, scene):
        database.execute(step.sql)
    assert snapshot(database)[old.address].attributes == desired[old.address].attributes


def test_a_canonical_function_needs_a_shell(database: psycopg.Connection[Any]) -> None:
    """Only C functions take a shell type; what matters is that the stub is one."""
    with passing(database, "CREATE TYPE r AS RANGE (subtype = int4)") as desired:
        (plain,) = (o for o in desired if o.kind == "range")
    assert registry()["range"].stub(plain) is None
    (step,) = registry()["base type"].stub(plain) or []
    database.execute(step.sql)
    assert database.execute("SELECT typisdefined FROM pg_type WHERE typname = 'r'").fetchone() == (False,)
