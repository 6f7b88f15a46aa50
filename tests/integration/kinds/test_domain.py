from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = "CREATE SCHEMA s; CREATE TYPE s.e AS ENUM ('a')"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "CREATE DOMAIN s.\"D\" AS varchar(10) COLLATE \"C\" DEFAULT 'it''s'"),
        ("", "CREATE DOMAIN s.d AS s.e[] DEFAULT '{a}'::s.e[] NOT NULL"),
        ("", "CREATE DOMAIN s.d AS int CONSTRAINT p CHECK (value > 0) CONSTRAINT q CHECK (value < 9)"),
        ("CREATE DOMAIN s.d AS int", ""),
        ("CREATE DOMAIN s.d AS int", "CREATE DOMAIN s.d AS bigint CHECK (value > 0)"),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("domain", old, new, setup=SETUP)


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("DEFAULT 1", "DEFAULT 2", ["ALTER DOMAIN s.d SET DEFAULT 2"]),
        ("DEFAULT 1", "", ["ALTER DOMAIN s.d DROP DEFAULT"]),
    ],
)
def test_alter(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    domain = "CREATE DOMAIN s.d AS int"
    assert convert("domain", f"{domain} {old}", f"{domain} {new}", setup=SETUP) == statements
