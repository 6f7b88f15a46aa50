"""The ledger of the target: which pre-migrations have run there, when, and with which text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import class_row

from novaops.db.identifiers import quote_ident
from novaops.db.own_schema import ensure_own_schema
from novaops.errors import NovaopsError
from novaops.execution.pre_migrations.files import Migration

STARTED, APPLIED, NOT_NEEDED, ADOPTED = "started", "applied", "not needed", "adopted"
TABLE = "novaops.migrations"
# now() is the beginning of the transaction: that of the file whose entry it is.
RECORD = f"""
INSERT INTO {TABLE} AS m (name, checksum, phase, outcome, statements_done, started_at, finished_at)
VALUES (%s, %s, %s, %s, %s, now(), CASE WHEN %s THEN clock_timestamp() END)
ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, phase = excluded.phase,
    outcome = excluded.outcome, statements_done = excluded.statements_done,
    finished_at = excluded.finished_at, applied_by = excluded.applied_by
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `statements_done` counts those that a file outside of transactions has finished."""

    name: str
    checksum: str
    phase: str
    outcome: str
    statements_done: int
    started_at: datetime
    finished_at: datetime | None
    applied_by: str


def entries(connection: psycopg.Connection[Any]) -> Mapping[str, Entry]:
    """All rows by name; none where there is no ledger yet."""
    try:
        row = connection.execute("SELECT to_regclass(%s)", [TABLE]).fetchone()
        if row is None or row[0] is None:
            return {}
        with connection.cursor(row_factory=class_row(Entry)) as cursor:
            cursor.execute(f"SELECT {', '.join(Entry.__slots__)} FROM {TABLE} ORDER BY name")
            return {entry.name: entry for entry in cursor}
    except errors.InsufficientPrivilege:
        raise _may_not(connection) from None


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make the ledger where there is none."""
    ensure_own_schema(connection)
    try:
        row = connection.execute("SELECT to_regclass(%s)", [TABLE]).fetchone()
        if row is None or row[0] is None:
            connection.execute(files(__package__).joinpath("ledger.sql").read_text())
    except errors.InsufficientPrivilege:
        raise _may_not(connection) from None


def record(
    connection: psycopg.Connection[Any], migration: Migration, outcome: str, done: int | None = None
) -> None:
    """Write the row of a file in whatever transaction this is in; `done` statements, by default all."""
    count = len(migration.statements) if done is None else done
    values = [migration.name, migration.checksum, migration.phase, outcome, count, outcome != STARTED]
    try:
        connection.execute(RECORD, values)
    except errors.InsufficientPrivilege:
        raise _may_not(connection) from None


def _may_not(connection: psycopg.Connection[Any]) -> NovaopsError:
    role = quote_ident(connection.info.user)
    return NovaopsError(
        f"role {role} may not use {TABLE}, the ledger of the pre-migrations",
        hint=f"its owner can allow it: GRANT USAGE, CREATE ON SCHEMA novaops TO {role};"
        f" GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {role}",
    )
