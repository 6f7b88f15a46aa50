"""Runs the .sql files of this folder: rows as values of a dataclass with the same fields, arrays as tuples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import psycopg
from psycopg.rows import kwargs_row

from novaops.db.sql_files import for_server

T = TypeVar("T")

READABLE = """
SELECT c.relname, a.attname
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.oid IN ('pg_catalog.pg_subscription'::regclass, 'pg_catalog.pg_replication_slots'::regclass)
  AND has_column_privilege(c.oid, a.attnum, 'SELECT')
"""


def rows(
    connection: psycopg.Connection[Any], name: str, kind: type[T], given: Mapping[str, Any] | None = None
) -> tuple[T, ...]:
    """What `name`.sql finds, with the parameters `given`."""
    text = _text(name)
    if "/*if" in text:
        text = for_server(text, frozenset(connection.execute(READABLE).fetchall()))

    def made(**values: Any) -> T:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )

    with connection.cursor(row_factory=kwargs_row(made)) as cursor:
        return tuple(cursor.execute(text, given).fetchall())


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text()
