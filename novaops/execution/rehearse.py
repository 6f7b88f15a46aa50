"""Runs a plan on a throwaway copy of the live schema and looks at what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import psycopg
from psycopg import errors

from novaops.catalog.address import Address
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.db.lock_modes import strongest
from novaops.errors import NovaopsError
from novaops.kinds import registry
from novaops.planning.changes import Change
from novaops.planning.diff import Comparison, diff
from novaops.planning.dump import creation
from novaops.planning.plan import Plan, Statement
from novaops.planning.scope import Scope

# What the statement locks, and where its rows are stored; a rewrite takes a lock, too, and so does a drop,
# of which no row is left.
OBSERVED = """
SELECT l.relation, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relfilenode, array_agg(l.mode)
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.granted
GROUP BY l.relation, c.oid, n.nspname
"""
RELATIONS = """
SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relfilenode
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
Files = dict[int, tuple[str, int | None]]
"""Name and `pg_class.relfilenode` (0 where nothing is stored) of tables and views, by oid."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the copy showed.

    `faithful` tells whether the copy equalled the live schema, without which nothing is proven;
    `left` are the differences that remained after the plan, none when it converges; `error` is the
    statement that failed and PostgreSQL's message; `committed` tells whether each statement was seen by
    itself, and so what it locks.
    """

    faithful: bool
    left: tuple[str, ...] = ()
    error: str | None = None
    committed: bool = True

    @property
    def converges(self) -> bool:
        return self.faithful and not self.left and self.error is None

    def as_json(self) -> Mapping[str, object]:
        return {
            "faithful": self.faithful,
            "converges": self.converges,
            "left": list(self.left),
            "error": self.error,
            "committed": self.committed,
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """The empty database of the rehearsal.

    With `commits` (a database that is dropped afterwards) every statement of the plan is seen by
    itself, as in the real run. Without, everything is one transaction that is rolled back; it has made
    the tables, and holds the strongest lock on each.
    """

    connection: psycopg.Connection[Any]
    commits: bool

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        self.connection.execute("SET check_function_bodies = off; SET synchronous_commit = off")
        try:
            yield
        finally:
            if not self.commits:
                self.connection.rollback()

    def copy(self, part: Snapshot, comparison: Comparison) -> None:
        """Make all objects of the snapshot, in transactions that leave room in the lock table."""
        made = creation(part, Scope(frozenset(), True), comparison)
        for _, group in groupby(zip(made.numbers, made.written, strict=True), lambda pair: pair[0]):
            with self._committed(), self.connection.pipeline():
                for _, written in group:
                    self.connection.execute(written.step.sql)

    def snapshot(self) -> Snapshot:
        with self.connection.transaction():
            return read(self.connection, list(registry().values()))

    def watch(self, statement: Statement, files: Files) -> Statement:
        """Run one statement and say what it locked and rewrote, by the names from before it."""
        text = statement.secret_sql or statement.sql
        if statement.index is not None and not self.commits:
            text = text.replace(" CONCURRENTLY", "", 1)  # a word of our own, ahead of all names
        if self.commits and (statement.transaction is None or not files):
            self.connection.execute(text)
            return statement
        with self._committed():
            self.connection.execute(text)
            seen = [row for row in self.connection.execute(OBSERVED) if row[0] in files]
        rewrites = [files[oid][0] for oid, _, file, _ in seen if file not in (None, files[oid][1])]
        locks = [f"{files[oid][0]} {strongest(modes)}" for oid, _, _, modes in seen if self.commits]
        files.update({oid: (name, file) for oid, name, file, _ in seen if name is not None})
        return replace(statement, locks=tuple(sorted(locks)), rewrites=tuple(sorted(rewrites)))

    def _committed(self) -> AbstractContextManager[object]:
        """A transaction, or a part of the only one.

        In a savepoint labels could not be added to a new enum and used (EnumValuesCreate() and
        AddEnumLabel() in src/backend/catalog/pg_enum.c).
        """
        return self.connection.transaction() if self.commits else nullcontext()


def rehearse(
    stage: Stage,
    plan: Plan,
    live: Snapshot,
    desired: Snapshot,
    scope: Scope,
    comparison: Comparison,
) -> Plan:
    """The plan with the locks and rewrites that were seen, and the `Rehearsal` as its `rehearsal`."""
    seen: list[Statement] = []
    with stage.rehearsal():
        verdict = _on_copy(stage, plan, live, desired, scope, comparison, seen)
    statements = (*seen, *plan.statements[len(seen) :])
    verdict = replace(verdict, committed=stage.commits)
    return replace(plan, statements=statements, rehearsal=verdict.as_json())


def _on_copy(
    stage: Stage,
    plan: Plan,
    live: Snapshot,
    desired: Snapshot,
    scope: Scope,
    comparison: Comparison,
    seen: list[Statement],
) -> Rehearsal:
    try:
        stage.copy(live, comparison)
    except psycopg.Error as error:
        return Rehearsal(False, error=f"copying the live schema: {_first_line(error)}")
    unlike = diff(live, stage.snapshot(), Scope(frozenset(), True), comparison)
    if unlike:
        return Rehearsal(False, _names(unlike))
    files: Files = {oid: (name, file) for oid, name, file in stage.connection.execute(RELATIONS)}
    try:
        for statement in plan.statements:
            seen.append(stage.watch(statement, files))
    except errors.OutOfMemory as error:
        raise NovaopsError(
            f"the server has no room for what one statement needs; nothing was applied: {_first_line(error)}",
            detail=plan.statements[len(seen)].sql,
            hint=error.diag.message_hint
            or "set max_locks_per_transaction of the server higher, and restart it",
        ) from error
    except errors.UnsafeNewEnumValueUsage as error:
        # Until PostgreSQL 16 a commit is needed, and this database is somebody else's.
        return Rehearsal(False, error=_first_line(error))
    except psycopg.Error as error:
        return Rehearsal(True, error=f"{plan.statements[len(seen)].sql}: {_first_line(error)}")
    return Rehearsal(True, _names(diff(stage.snapshot(), desired, scope, comparison)))


def _names(changes: Mapping[Address, Change]) -> tuple[str, ...]:
    return tuple(f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
