"""Reads the journal: which runs there were, and how far they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from novaops.db.identifiers import quote_ident
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.planning.plan import Missing

# Whether there is a journal, and the role may read it.
READABLE = """
SELECT count(*) = 2,
       coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')), false)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'novaops' AND c.relname IN ('journal', 'journal_statement')
"""
RUNS = """
SELECT j.run, j.started, j.finished, j.role, j.client, j.novaops, j.files, j.summary, j.outcome, j.error, j.resumed,
       j.plan, j.desired, j.stamp, count(s) AS statements, count(s) FILTER (WHERE s.state = 'done') AS done,
       coalesce(bool_or(s.state = 'started'), false) AS open, max(s.finished) AS last
FROM novaops.journal j LEFT JOIN novaops.journal_statement s USING (run)
"""


INTERRUPTED = """
WHERE j.outcome IS DISTINCT FROM 'converged' AND j.outcome IS DISTINCT FROM 'applied'
  AND EXISTS (SELECT FROM novaops.journal_statement d WHERE d.run = j.run AND d.state = 'done')
  AND NOT EXISTS (SELECT FROM novaops.journal later WHERE later.run > j.run
                  AND later.outcome IN ('converged', 'applied')
                  AND later.summary -> 'options' = j.summary -> 'options')
GROUP BY j.run ORDER BY j.run
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of apply. `done` of its `statements` were committed, the `last` of them at that time; `open` tells
    whether one outside of transactions was started and is not known to have ended.

    `outcome` is "converged" (the database is what the files declare), "applied" (all of a saved plan ran), "differs",
    "failed", "interrupted", or None for a run that goes on or was cut off. `plan` and `desired` say what it was a run of, `stamp`
    how it left the catalogs.
    """

    run: int
    started: datetime
    finished: datetime | None
    role: str
    client: str
    novaops: str
    files: str
    summary: Mapping[str, Any]
    outcome: str | None
    error: str | None
    resumed: int
    plan: str
    desired: str
    stamp: str
    statements: int
    done: int
    open: bool
    last: datetime | None

    @property
    def seconds(self) -> float | None:
        """From the start to the end; None while it is not known."""
        return None if self.finished is None else (self.finished - self.started).total_seconds()

    @property
    def consents(self) -> Mapping[str, str]:
        """What was approved for it, with the reasons; a run of a novaops that did not record that has none."""
        return dict(self.summary.get("consents", {}))

    @property
    def complete(self) -> bool:
        """Whether it did all it was to do."""
        return self.outcome in ("converged", "applied")


@dataclass(frozen=True, slots=True)
class RecordedStatement:
    """A statement of a run; `state` is pending, started (outside of a transaction, and not known to have ended) or done."""

    number: int
    transaction: int | None
    kind: str
    object: str
    operation: str
    sql: str
    masked: bool
    guards: Sequence[Mapping[str, Any]]
    index: str | None
    patient: bool
    state: str
    finished: datetime | None
    dropped: Sequence[Mapping[str, Any]] | None
    restored: Sequence[str] | None
    """`dropped` and `restored` are None in a run of a novaops that did not record them."""

    @property
    def drops(self) -> tuple[Missing, ...]:
        return tuple(map(Missing.of, self.dropped or ()))

    @property
    def restores(self) -> tuple[str, ...]:
        return tuple(self.restored or ())


def readable(connection: psycopg.Connection[Any]) -> bool:
    """Whether there is a journal that the role may read."""
    row = connection.execute(READABLE).fetchone()
    return row is not None and all(row)


def runs(connection: psycopg.Connection[Any]) -> list[Run]:
    """All runs, the latest first; raises `NovaopsError` where there is a journal that the role may not read."""
    row = connection.execute(READABLE).fetchone()
    assert row is not None  # noqa: S101
    there, permitted = row
    if there and not permitted:
        role = quote_ident(connection.info.user)
        raise NovaopsError(
            f"role {connection.info.user} may not read the journal of {connection.info.dbname}",
            hint=f"GRANT USAGE ON SCHEMA novaops TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA novaops TO {role}",
        )
    return _runs(connection, "GROUP BY j.run ORDER BY j.run DESC")


def latest(connection: psycopg.Connection[Any]) -> Run | None:
    """The latest run."""
    found = _runs(connection, "WHERE j.run = (SELECT max(run) FROM novaops.journal) GROUP BY j.run")
    return found[0] if found else None


def interrupted(connection: psycopg.Connection[Any]) -> list[Run]:
    """Return the runs that committed some of their statements and that no later one has completed, the earliest first.

    A later run completes an earlier one if it did all it was to do in the same scope: what the earlier one has left
    is in its plan, or the files do not declare it any more.
    """
    return _runs(connection, INTERRUPTED)


def numbered(connection: psycopg.Connection[Any], number: int) -> Run:
    """The run with that number; raises `NovaopsError` when there is none."""
    found = _runs(connection, "WHERE j.run = %s GROUP BY j.run", number)
    if not found:
        raise NovaopsError(
            f"there is no run {number} in the journal of {connection.info.dbname}",
            hint=f"{command_line('history')} lists the runs",
        )
    return found[0]


def statements(connection: psycopg.Connection[Any], run: Run) -> list[RecordedStatement]:
    """The statements of a run, in order."""
    with connection.cursor(row_factory=class_row(RecordedStatement)) as cursor:
        return cursor.execute(
            # A journal of before has no such columns until the next apply.
            "SELECT number, transaction, kind, object, operation, sql, masked, guards, index, patient, state, finished,"
            " to_jsonb(s) -> 'drops' AS dropped, to_jsonb(s) -> 'restores' AS restored"
            " FROM novaops.journal_statement s WHERE run = %s ORDER BY number",
            [run.run],
        ).fetchall()


def last_state(connection: psycopg.Connection[Any]) -> tuple[int, datetime, bytes] | None:
    """The latest run after which the schema is known: its number, when it ended, and the digest of the schema."""
    if not readable(connection):
        return None
    return connection.execute(
        "SELECT run, finished, state FROM novaops.journal WHERE state IS NOT NULL ORDER BY run DESC LIMIT 1"
    ).fetchone()


def created_since(connection: psycopg.Connection[Any], run: int) -> frozenset[tuple[str, str]]:
    """Return the objects, as (kind, identity), that runs after `run` have created or changed, and not dropped since.

    Indexes that they have built under working names, for a change that did not follow, are among them.
    """
    if not readable(connection):
        return frozenset()
    rows = connection.execute(
        "SELECT DISTINCT ON (kind, object) kind, object, operation FROM novaops.journal_statement"
        " WHERE run > %s AND state = 'done' ORDER BY kind, object, run DESC, number DESC",
        [run],
    ).fetchall()
    rows += connection.execute(
        "SELECT 'index', index, 'create' FROM novaops.journal_statement"
        " WHERE run > %s AND state <> 'pending' AND index IS NOT NULL",
        [run],
    ).fetchall()
    return frozenset((kind, name) for kind, name, operation in rows if operation != "drop")


def _runs(connection: psycopg.Connection[Any], which: str, *values: object) -> list[Run]:
    if not readable(connection):
        return []
    with connection.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(f"{RUNS} {which}", values).fetchall()
