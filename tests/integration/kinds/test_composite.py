from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Convert, passing, snapshot

SETUP = "CREATE SCHEMA s"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", 'CREATE TYPE s."My type" AS ("a b" int, c varchar(3)[] COLLATE "C", d numeric(5,2))'),
        ("", "CREATE TYPE s.nothing AS ()"),
        ("", "CREATE TYPE s.c AS (a int); COMMENT ON COLUMN s.c.a IS 'it''s a'"),
        ("CREATE TYPE s.c AS (a int)", ""),
        ("CREATE TYPE s.c AS (a int, b text)", "CREATE TYPE s.c AS (b text, a int)"),
        ("CREATE TYPE s.c AS (b text)", "CREATE TYPE s.c AS (a int, b text)"),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("composite", old, new, setup=SETUP)


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "CREATE TYPE s.c AS (a int, b text, c date)",
            'CREATE TYPE s.c AS (a bigint, c date, "D" text COLLATE "C")',
            [
                "ALTER TYPE s.c DROP ATTRIBUTE b",
                'ALTER TYPE s.c ALTER ATTRIBUTE a TYPE bigint, ADD ATTRIBUTE "D" text COLLATE "C"',
            ],
        ),
        (
            "CREATE TYPE s.c AS (a text)",
            'CREATE TYPE s.c AS (a text COLLATE "C")',
            ['ALTER TYPE s.c ALTER ATTRIBUTE a TYPE text COLLATE "C"'],
        ),
        (
            "CREATE TYPE s.c AS (a text, b text); COMMENT ON COLUMN s.c.a IS 'a'; COMMENT ON COLUMN s.c.b IS 'b'",
            "CREATE TYPE s.c AS (a text, b text); COMMENT ON COLUMN s.c.b IS 'B'",
            ["COMMENT ON COLUMN s.c.a IS NULL", "COMMENT ON COLUMN s.c.b IS 'B'"],
        ),
    ],
)
def test_alter(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("composite", old, new, setup=SETUP) == statements


def test_an_attribute_of_a_column_cannot_change_its_type_in_place(database: psycopg.Connection[Any]) -> None:
    table = "; CREATE TABLE t (v c[])"
    with passing(database, "CREATE TYPE c AS (a bigint)" + table) as desired:
        pass
    database.execute("CREATE TYPE c AS (a int)" + table)
    live = snapshot(database)
    (old,) = (o for o in live if o.kind == "composite")
    scene = Scene(live, desired, 180000)
    assert registry()["composite"].alter(old, desired[old.address], frozenset({"attributes"}), scene) is None


@pytest.mark.parametrize(
    ("column", "value", "new", "risk"),
    [
        ("c", "(1,NULL)", "a int", ("data-loss", "public.c.b", False)),
        ("c", "(1,2)", "a int", ("data-loss", "public.c.b", True)),
        ("c", "NULL", "a int", ("data-loss", "public.c.b", False)),
        ("c[]", "ARRAY[(1,NULL)::c]", "b int, a int", ("data-loss", "public.c", True)),
        ("c[]", "NULL", "b int, a int", ("data-loss", "public.c", False)),
        ("c", "(1,2)", "a int, b smallint", ("narrowing", "public.c.b", False)),
    ],
)
def test_what_a_lost_attribute_takes_along(
    database: psycopg.Connection[Any], column: str, value: str, new: str, risk: tuple[str, str, bool]
) -> None:
    table = f"; CREATE TABLE t (v {column})"
    with passing(database, f"CREATE TYPE c AS ({new})" + table) as desired:
        pass
    database.execute("CREATE TYPE c AS (a int, b int)" + table)
    database.execute(f"INSERT INTO t VALUES ({value})")
    live = snapshot(database)
    (old,) = (o for o in live if o.kind == "composite")
    (found,) = registry()["composite"].risks(old, None, frozenset(), Scene(live, desired, 180000))
    assert found.exists is not None
    (harm,) = database.execute(found.exists).fetchall()
    assert (found.hazard, found.subject, *harm) == risk


def test_values_are_converted_by_name(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE TYPE c AS (a int, b text)")
    database.execute("CREATE TABLE t AS SELECT unnest(ARRAY[(1, 'x')::c, NULL, (NULL, NULL)::c]) AS v")
    live = snapshot(database)
    with passing(
        database, "DROP TABLE t; DROP TYPE c; CREATE TYPE c AS (b text, n date, a bigint)"
    ) as desired:
        pass
    (old,) = (o for o in live if o.kind == "composite")
    kind = registry()["composite"]
    new = desired[old.address]
    steps, aside = kind.aside(old, Scene(live, desired, 180000))
    for step in steps + kind.create(new, (), Scene(live, desired, 180000)):
        database.execute(step.sql)
    value = kind.conversion(aside, new, "v")
    database.execute(f"ALTER TABLE t ALTER COLUMN v TYPE {new.identity} USING {value}")
    database.execute(kind.drop(aside, Scene(live, desired, 180000))[0].sql)
    assert database.execute("SELECT v::text FROM t").fetchall() == [("(x,,1)",), (None,), ("(,,)",)]
