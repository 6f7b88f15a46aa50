from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.kinds.conftest import Convert, snapshot


@pytest.mark.extension("hstore")
@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("", "CREATE EXTENSION hstore SCHEMA s", ["CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA s"]),
        ("CREATE EXTENSION hstore SCHEMA s", "", ["DROP EXTENSION hstore"]),
        (
            "CREATE EXTENSION hstore SCHEMA s",
            "CREATE EXTENSION hstore SCHEMA public",
            ["ALTER EXTENSION hstore SET SCHEMA public"],
        ),
    ],
)
def test_create_alter_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("extension", old, new, setup="CREATE SCHEMA s") == statements


@pytest.mark.extension("hstore")
def test_its_members_are_no_objects(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE EXTENSION hstore")
    found = snapshot(database)
    assert {o.kind for o in found} == {"schema", "extension"}
    assert found.unmodelled == ()


def test_plpgsql_is_part_of_every_database(database: psycopg.Connection[Any]) -> None:
    assert not [o for o in snapshot(database) if o.kind == "extension"]
