from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

# Functions of the right shape (internal → internal, internal → int2) that every server has.
FROM = "FROM SQL WITH FUNCTION dsimple_init(internal)"
OTHER = "FROM SQL WITH FUNCTION dispell_init(internal)"
TO = "TO SQL WITH FUNCTION int2recv(internal)"
HEAD = "TRANSFORM FOR smallint LANGUAGE plpgsql"


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("", f"CREATE {HEAD} ({FROM}, {TO})", [f"CREATE {HEAD} ({FROM}, {TO})"]),
        (f"CREATE {HEAD} ({FROM})", f"CREATE {HEAD} ({OTHER})", [f"CREATE OR REPLACE {HEAD} ({OTHER})"]),
        (f"CREATE {HEAD} ({FROM}, {TO})", f"CREATE {HEAD} ({TO})", [f"CREATE OR REPLACE {HEAD} ({TO})"]),
        (f"CREATE {HEAD} ({FROM})", "", [f"DROP {HEAD}"]),
    ],
)
def test_create_alter_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("transform", old, new) == statements
