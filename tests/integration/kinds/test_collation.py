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
        ("", "CREATE COLLATION c (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"),
        ("CREATE COLLATION c (provider = libc, locale = 'C')", ""),
        (
            "CREATE COLLATION c (provider = libc, locale = 'C')",
            "CREATE COLLATION c (provider = icu, locale = 'de')",
        ),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("collation", old, new)


def test_rules_and_the_builtin_provider(database: psycopg.Connection[Any], convert: Convert) -> None:
    if database.info.server_version < 170000:
        rules = "CREATE COLLATION c (provider = icu, locale = 'de')"
    else:
        rules = (
            "CREATE COLLATION c (provider = icu, locale = 'und', rules = '&a < g');"
            "CREATE COLLATION d (provider = builtin, locale = 'C.UTF-8')"
        )
    convert("collation", "", rules)


def test_the_old_one_makes_room_for_the_new(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE COLLATION c (locale = 'C')")
    (old,) = (o for o in snapshot(database) if o.kind == "collation")
    steps, aside = registry()["collation"].aside(old)
    for step in steps:
        database.execute(step.sql)
    assert snapshot(database)[aside.address].attributes == aside.attributes
