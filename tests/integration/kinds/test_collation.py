from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Convert, snapshot


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "CREATE COLLATION \"My c\" (provider = libc, locale = 'C')"),
        ("", "CREATE COLLATION c (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX')"),
        ("CREATE COLLATION c (provider = libc, locale = 'C')", ""),
        (
            "CREATE COLLATION c (provider = libc, locale = 'C')",
            "CREATE COLLATION c (provider = libc, locale = 'POSIX')",
        ),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("collation", old, new)


@pytest.fixture
def with_icu(database: psycopg.Connection[Any]) -> None:
    if database.execute("SELECT FROM pg_collation WHERE collname = 'und-x-icu'").fetchone() is None:
        pytest.skip("this server is built without ICU")


def test_icu(with_icu: None, convert: Convert) -> None:
    convert(
        "collation",
        "CREATE COLLATION c (provider = icu, locale = 'de')",
        "CREATE COLLATION c (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    )


@pytest.mark.since(16, "rules of collations")
def test_icu_rules(with_icu: None, convert: Convert) -> None:
    convert(
        "collation",
        "CREATE COLLATION c (provider = icu, locale = 'de')",
        "CREATE COLLATION c (provider = icu, locale = 'und', rules = '&a < g')",
    )


@pytest.mark.since(17, "builtin collation provider")
def test_builtin(convert: Convert) -> None:
    convert("collation", "", "CREATE COLLATION c (provider = builtin, locale = 'C.UTF-8')")


def test_the_old_one_makes_room_for_the_new(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE COLLATION c (locale = 'C')")
    live = snapshot(database)
    (old,) = (o for o in live if o.kind == "collation")
    steps, aside = registry()["collation"].aside(old, Scene(live, live, 180000))
    for step in steps:
        database.execute(step.sql)
    assert snapshot(database)[aside.address].attributes == aside.attributes
