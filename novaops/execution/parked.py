"""The tables that plans have put aside (`novaops.planning.parking`): listed, brought back, dropped when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from novaops.db.identifiers import quote_qualified
from novaops.errors import NovaopsError, RefusedError
from novaops.invocation import command_line
from novaops.planning.parking import PARKED

LIST = """
SELECT name, origin, parked_at, until, until < now() FROM novaops.parked ORDER BY parked_at, origin
"""
# What is recorded there is run by whoever brings a table back, so nobody with less rights may have written it, as a
# whole or in part, nor made a trigger on it, which would run with the same rights.
WRITERS = """
SELECT r.rolname
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE d.datname = current_database() AND NOT r.rolsuper AND NOT starts_with(r.rolname, 'pg_')
    AND (has_any_column_privilege(r.oid, 'novaops.parked', 'INSERT, UPDATE')
        OR has_table_privilege(r.oid, 'novaops.parked', 'TRIGGER'))
    AND NOT pg_has_role(r.oid, current_user::regrole, 'MEMBER') AND NOT pg_has_role(r.oid, d.datdba, 'MEMBER')
ORDER BY 1
"""


SHOWN = 5
"""How many roles an error names."""


@dataclass(frozen=True, slots=True)
class ParkedTable:
    """A table in `novaops_parked`: its name there, the identity it had, and how long it is kept."""

    name: str
    origin: str
    parked_at: datetime
    until: datetime
    expired: bool


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """A table that is back, and each statement that could not be repeated, with PostgreSQL's reason."""

    table: ParkedTable
    failed: tuple[str, ...]


def parked_tables(connection: psycopg.Connection[Any]) -> list[ParkedTable]:
    """All that are parked, the oldest first."""
    if _is_missing(connection):
        return []
    return [ParkedTable(*row) for row in connection.execute(LIST)]


def bring_back(connection: psycopg.Connection[Any], name: str) -> BroughtBack:
    """Bring the table of that origin (the one parked last) or of that name in `novaops_parked` back.

    Raises `NovaopsError` when there is none, and `RefusedError` when another role could have written the record.
    """
    known = [
        t for t in parked_tables(connection) if name in (t.origin, t.name, t.origin.removeprefix("public."))
    ]
    if not known:
        raise NovaopsError(
            f"no table {name} is parked", hint=f"{command_line('unpark')} lists those that are"
        )
    _check_writer(connection)
    table = known[-1]
    failed: list[str] = []
    with connection.transaction():
        row = connection.execute(
            "DELETE FROM novaops.parked WHERE name = %s RETURNING return, restore", [table.name]
        ).fetchone()
        assert row is not None  # noqa: S101
        statements, restore = row
        _move(connection, table, statements)
        for text in restore:
            try:
                with connection.transaction():
                    connection.execute(text)
            except psycopg.Error as error:
                failed.append(f"{text}: {error.diag.message_primary or error}")
    return BroughtBack(table, tuple(failed))


def drop_expired(connection: psycopg.Connection[Any]) -> list[ParkedTable]:
    """Drop those that are past their time, each in a transaction of its own; returns them."""
    dropped = [table for table in parked_tables(connection) if table.expired]
    for table in dropped:
        with connection.transaction():
            connection.execute(f"DROP TABLE IF EXISTS {quote_qualified(PARKED, table.name)}")
            connection.execute("DELETE FROM novaops.parked WHERE name = %s", [table.name])
    return dropped


def _move(connection: psycopg.Connection[Any], table: ParkedTable, statements: Sequence[str]) -> None:
    try:
        for text in statements:
            connection.execute(text)
    except psycopg.errors.DuplicateTable as error:
        raise NovaopsError(
            f"{table.origin} cannot come back: {error.diag.message_primary}",
            hint="rename what has the name now, and bring it back then",
        ) from error


def _is_missing(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT to_regclass('novaops.parked') IS NULL").fetchone()
    return row is not None and bool(row[0])


def _check_writer(connection: psycopg.Connection[Any]) -> None:
    writers = [name for (name,) in connection.execute(WRITERS)]
    if writers:
        more = f" and {len(writers) - SHOWN:,} more" if len(writers) > SHOWN else ""
        raise RefusedError(
            f"{', '.join(writers[:SHOWN])}{more} may write to novaops.parked, whose statements would run with your rights",
            hint=f"bring it back as {writers[0]}, or look at its columns return and restore and run them by hand",
        )
