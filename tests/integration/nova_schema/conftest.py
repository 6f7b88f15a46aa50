"""A database with the schema of schema/schema.sql and three agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

SCHEMA = Path(__file__).parents[3] / "schema" / "schema.sql"
Connection = psycopg.Connection[Any]


@pytest.fixture
def nova(database: Connection) -> Connection:
    """A database with the schema and three agents."""
    database.execute(SCHEMA.read_text())
    for name in ("nova", "coder", "Quill"):
        database.execute("INSERT INTO agents (name, access_method) VALUES (%s, 'cli')", [name])
    return database


def value(connection: Connection, query: str, *parameters: object) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]
