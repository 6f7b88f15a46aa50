from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = "CREATE DOMAIN d AS int"
NOT_VALID = "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0) NOT VALID"


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "",
            'ALTER DOMAIN d ADD CONSTRAINT "The check" CHECK (value > 0)',
            ['ALTER DOMAIN public.d ADD CONSTRAINT "The check" CHECK ((VALUE > 0))'],
        ),
        ("", NOT_VALID, ["ALTER DOMAIN public.d ADD CONSTRAINT c CHECK ((VALUE > 0)) NOT VALID"]),
        (
            NOT_VALID,
            "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0)",
            ["ALTER DOMAIN public.d VALIDATE CONSTRAINT c"],
        ),
        (NOT_VALID, "", ["ALTER DOMAIN public.d DROP CONSTRAINT c"]),
        (
            "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0)",
            "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 1); COMMENT ON CONSTRAINT c ON DOMAIN d IS NULL",
            [
                "ALTER DOMAIN public.d DROP CONSTRAINT c",
                "ALTER DOMAIN public.d ADD CONSTRAINT c CHECK ((VALUE > 1))",
            ],
        ),
    ],
)
def test_create_alter_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("domain constraint", old, new, setup=SETUP) == statements


def test_not_null_comes_and_goes(convert: Convert) -> None:
    """A constraint with a name from PostgreSQL 17 on, an attribute of the domain before."""
    convert("domain constraint", "", "ALTER DOMAIN d SET NOT NULL", setup=SETUP)


def test_not_null_goes(convert: Convert) -> None:
    convert("domain constraint", "ALTER DOMAIN d SET NOT NULL", "", setup=SETUP)
