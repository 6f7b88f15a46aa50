"""The dry apply: what a worker would do with a row of the source, done on the target and rolled back.

It changes no row, but it is not read-only: modes of triggers are set in its transaction, which locks the table
for a moment, and sequences that the triggers use may advance. So it is no part of the pre-flight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from novaops.progress import Reporter, Silent
from novaops.replication.checks.scene import Both, Scene
from novaops.replication.finding import Finding
from novaops.replication.pair import bound_lock_waits
from novaops.replication.proof.rows import Rows, Shape, reader, shape
from novaops.replication.proof.sentinel_row import NoSentinel, insert
from novaops.replication.trigger_modes import due, statement

# What a worker runs with (documentation, "Logical Replication", "Security"; worker.c sets the search_path).
AS_WORKER = """
SET LOCAL session_replication_role = replica; SET LOCAL search_path = ''; SET LOCAL row_security = on;
SET LOCAL statement_timeout = '30s'
"""
# undefined_table, undefined_function, undefined_column, undefined_object, invalid_schema_name
NOT_FOUND = frozenset(["42P01", "42883", "42703", "42704", "3F000"])


@dataclass(frozen=True, slots=True)
class Probe:
    """What a dry apply has shown; `tried` are the tables whose rows it went through with."""

    tried: tuple[str, ...]
    findings: tuple[Finding, ...]


def probe(scene: Scene, reporter: Reporter | None = None) -> Probe:
    """Apply one row of each table on the target as a worker would: insert, update, delete; nothing stays."""
    told = reporter or Silent()
    if not scene.target.server.may_set_replication_role:
        return Probe(
            (),
            (
                Finding(
                    "probe-right",
                    "note",
                    f"no row was tried: role {scene.target.side.identity.user} may not set session_replication_role",
                    "what a worker does can only be tried by who may act as one",
                    f"GRANT SET ON PARAMETER session_replication_role TO {scene.target.side.identity.user}",
                ),
            ),
        )
    tried, findings = [], []
    with told.phase("applying a row on trial"):
        for both in scene.tables():
            if both.source is None or both.target is None:
                continue
            found = list(_table(scene, both))
            findings += found
            if not found:
                tried.append(str(both.declared))
    return Probe(tuple(tried), tuple(findings))


def _table(scene: Scene, both: Both) -> Iterator[Finding]:
    with reader(scene.replication.source) as source:
        seen = shape(source, both.declared)
        names = tuple(name for name in seen.columns if name in both.target_columns)
        try:
            row = _sample(source, seen, names, both.declared.sentinel)
        except (NoSentinel, psycopg.Error) as error:
            yield Finding(
                "probe-row",
                "note",
                f"no row of {both.declared} was tried: the source has none, and none could be made",
                str(error),
                'write sentinel = "…" in [[replication.table]]: SQL that writes one',
            )
            return
    with reader(scene.replication.target) as target:
        try:
            with target.transaction(force_rollback=True):
                bound_lock_waits(target)
                for change in due(target, (both.declared,)):
                    target.execute(statement(change))
                target.execute(AS_WORKER)
                _apply(target, seen, names, row)
        except psycopg.Error as error:
            yield _refused(both, error)


def _sample(
    source: psycopg.Connection[Any], seen: Shape, names: tuple[str, ...], sentinel: str | None
) -> tuple[str | None, ...]:
    """The latest row of the source, or one that is made there and rolled back; its values as text."""
    rows = Rows(source, seen)
    columns = SQL(", ").join(SQL("{}::text").format(Identifier(name)) for name in names)
    order = SQL(", ").join(SQL("{} DESC").format(Identifier(column.name)) for column in seen.key) or SQL("1")
    latest = SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1").format(
        columns, rows.relation, rows.condition, order
    )
    row = source.execute(latest, {}).fetchone()
    if row is None:
        with source.transaction(force_rollback=True):
            if seen.key:
                insert(source, rows, sentinel)
            row = source.execute(latest, {}).fetchone()
    if row is None:
        raise NoSentinel(f"{seen.table} is empty and has no key")
    return tuple(row)


def _apply(
    target: psycopg.Connection[Any], seen: Shape, names: tuple[str, ...], row: tuple[str | None, ...]
) -> None:
    """DELETE what has the key, INSERT, UPDATE and DELETE it, as statements of a worker."""
    table = Identifier(seen.table.schema, seen.table.name)
    values = dict(zip(names, row, strict=True))
    key = [column.name for column in seen.key] or list(names)
    where = SQL(" AND ").join(_is(name, values[name]) for name in key)
    given = [values[name] for name in key if values[name] is not None]
    deleting = SQL("DELETE FROM {} WHERE {}").format(table, where)
    if seen.key:
        target.execute(deleting, given)
    # OVERRIDING: a worker writes identity columns as they come.
    target.execute(
        SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            table, SQL(", ").join(map(Identifier, names)), SQL(", ").join([SQL("%s")] * len(names))
        ),
        row,
    )
    if not seen.key:
        return
    others = [name for name in names if name not in key]
    if others:
        assigned = SQL(", ").join(SQL("{0} = {0}").format(Identifier(name)) for name in others)
        target.execute(SQL("UPDATE {} SET {} WHERE {}").format(table, assigned, where), given)
    target.execute(deleting, given)


def _is(name: str, value: str | None) -> Composed:
    return SQL("{} IS NULL" if value is None else "{} = %s").format(Identifier(name))


def _refused(both: Both, error: psycopg.Error) -> Finding:
    """What the worker would stop at, in PostgreSQL's words."""
    said = error.diag.message_primary or str(error)
    where = "; ".join((error.diag.context or "").splitlines())
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
        return Finding(
            "probe-locked", "warning", f"no row of {both.declared} was tried: {said}", where or None,
            "see who holds the lock (pg_locks), then run the same command again",
        )  # fmt: skip
    remedy = "correct what the message names on the target, or set the trigger to another mode"
    if error.sqlstate in NOT_FOUND and where:
        remedy = (
            "ALTER FUNCTION … SET search_path = pg_catalog, public, or write the names with their schemas"
        )
    return Finding(
        "probe",
        "error",
        f"the first row of {both.declared} would stop the worker: {said}",
        where or None,
        remedy,
    )
