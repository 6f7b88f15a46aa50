from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

HANDLER = "HANDLER plpgsql_call_handler"
ALL = f"{HANDLER} INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator"


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("", f'CREATE LANGUAGE "PL/x" {HANDLER}', [f'CREATE LANGUAGE "PL/x" {HANDLER}']),
        ("", f"CREATE TRUSTED LANGUAGE plx {ALL}", [f"CREATE TRUSTED LANGUAGE plx {ALL}"]),
        (
            f"CREATE LANGUAGE plx {HANDLER}",
            f"CREATE TRUSTED LANGUAGE plx {ALL}",
            [f"CREATE OR REPLACE TRUSTED LANGUAGE plx {ALL}"],
        ),
        (
            f"CREATE TRUSTED LANGUAGE plx {ALL}",
            f"CREATE LANGUAGE plx {HANDLER}",
            [f"CREATE OR REPLACE LANGUAGE plx {HANDLER}"],
        ),
        (f"CREATE LANGUAGE plx {HANDLER}", "", ["DROP LANGUAGE plx"]),
    ],
)
def test_create_alter_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("language", old, new) == statements
