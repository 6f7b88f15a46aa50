"""Which objects a DROP names."""

from __future__ import annotations

import pytest

from novaops.desired.dropped import Dropped, dropped
from novaops.desired.split import File, Statement, split


@pytest.mark.parametrize(
    ("sql", "objects"),
    [
        ("DROP TABLE a", [Dropped("TABLE", ("a",))]),
        (
            'drop table if exists a, S."B, c" /* , d */, "S".e CASCADE',
            [
                Dropped("TABLE", ("a",), cascade=True),
                Dropped("TABLE", ("s", "B, c"), cascade=True),
                Dropped("TABLE", ("S", "e"), cascade=True),
            ],
        ),
        ("DROP DOMAIN IF EXISTS d RESTRICT", [Dropped("TYPE", ("d",))]),
        ("DROP SCHEMA s CASCADE", [Dropped("SCHEMA", ("s",), cascade=True)]),
        ("DROP MATERIALIZED VIEW IF EXISTS m, n", [Dropped("MATERIALIZED VIEW", (n,)) for n in "mn"]),
        (
            "DROP FUNCTION IF EXISTS s.f(int, text), g",
            [Dropped("FUNCTION", ("s", "f")), Dropped("FUNCTION", ("g",))],
        ),
        ("DROP OWNED BY r", []),
        ("DROP INDEX i", []),
        ("ALTER TABLE a DROP COLUMN b", [Dropped("TABLE", ("a",), "b")]),
        (
            'ALTER TABLE IF EXISTS ONLY s.a * ADD c numeric(1, 2), DROP IF EXISTS "B" CASCADE, DROP b, DROP CONSTRAINT d',
            [Dropped("TABLE", ("s", "a"), "B", cascade=True), Dropped("TABLE", ("s", "a"), "b")],
        ),
        ("ALTER TABLE a ALTER COLUMN b DROP DEFAULT", []),
        ("DELETE FROM a", []),
    ],
)
def test_dropped(sql: str, objects: list[Dropped]) -> None:
    (statement,) = split(File.of("0001.sql", sql))
    assert isinstance(statement, Statement)
    assert list(dropped(statement)) == objects
