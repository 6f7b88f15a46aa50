from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
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


@pytest.mark.parametrize(
    ("since", "new"),
    [
        (150000, "locale = 'und-u-ks-level2', deterministic = false"),
        (160000, "locale = 'und', rules = '&a < g'"),
    ],
)
def test_icu(
    with_icu: None, database: psycopg.Connection[Any], convert: Convert, since: int, new: str
) -> None:
    if database.info.server_version >= since:
        old = "CREATE COLLATION c (provider = icu, locale = 'de')"
        convert("collation", old, f"CREATE COLLATION c (provider = icu, {new})")


def test_builtin(database: psycopg.Connection[Any], convert: Convert) -> None:
    """The builtin provider came with PostgreSQL 17."""
    if database.info.server_version >= 170000:
        convert("collation", "", "CREATE COLLATION c (provider = builtin, locale = 'C.UTF-8')")


def test_the_old_one_makes_room_for_the_new(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE COLLATION c (locale = 'C')")
    (old,) = (o for o in snapshot(database) if o.kind == "collation")
    steps, aside = registry()["collation"].aside(old)
    for step in steps:
        database.execute(step.sql)
    assert snapshot(database)[aside.address].attributes == aside.attributes
