"""Runs a plan on a throwaway copy of the live schema and looks at what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.changes import Change
from novaops.planning.diff import Comparison, diff
from novaops.planning.dump import creation
from novaops.planning.plan import Plan, Statement
from novaops.planning.scope import Scope

# Locks of this transaction on relations that came with the copy, strongest last.
LOCKS = """
SELECT l.relation::regclass::text, l.mode
FROM pg_catalog.pg_locks l
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
  AND l.relation = ANY (%s)
"""
FILES = """
SELECT c.oid, c.oid::regclass::text, c.relfilenode
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
STRENGTH = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the copy showed.

    `faithful` tells whether the copy equalled the live schema, without which nothing is proven;
    `left` are the differences that remained after the plan, none when it converges; `error` is the
    statement that failed and PostgreSQL's message.
    """

    faithful: bool
    left: tuple[str, ...] = ()
    error: str | None = None

    @property
    def converges(self) -> bool:
        return self.faithful and not self.left and self.error is None

    def as_json(self) -> Mapping[str, object]:
        return {
            "faithful": self.faithful,
            "converges": self.converges,
            "left": list(self.left),
            "error": self.error,
        }


def rehearse(
    copy: psycopg.Connection[Any],
    plan: Plan,
    live: Snapshot,
    desired: Snapshot,
    scope: Scope,
    comparison: Comparison,
) -> Plan:
    """The plan with the locks and rewrites that were seen, and the `Rehearsal` as its `rehearsal`.

    `copy` is a connection to an empty database; everything happens in one transaction that is
    rolled back.
    """
    seen: list[Statement] = []
    with copy.transaction(force_rollback=True):
        copy.execute("SET LOCAL check_function_bodies = off")
        verdict = _on_copy(copy, plan, live, desired, scope, comparison, seen)
    statements = (*seen, *plan.statements[len(seen) :])
    return replace(plan, statements=statements, rehearsal=verdict.as_json())


def _on_copy(
    copy: psycopg.Connection[Any],
    plan: Plan,
    live: Snapshot,
    desired: Snapshot,
    scope: Scope,
    comparison: Comparison,
    seen: list[Statement],
) -> Rehearsal:
    whole = Scope(frozenset(), True)
    try:
        for written in creation(live, whole, comparison).written:
            copy.execute(written.step.sql)
    except psycopg.Error as error:
        return Rehearsal(False, error=f"copying the live schema: {_first_line(error)}")
    kinds = list(registry().values())
    unlike = diff(live, read(copy, kinds), whole, comparison)
    if unlike:
        return Rehearsal(False, _names(unlike))
    try:
        for statement in plan.statements:
            seen.append(_observed(copy, statement))
    except psycopg.Error as error:
        return Rehearsal(True, error=f"{plan.statements[len(seen)].sql}: {_first_line(error)}")
    return Rehearsal(True, _names(diff(read(copy, kinds), desired, scope, comparison)))


def _observed(copy: psycopg.Connection[Any], statement: Statement) -> Statement:
    """Run one statement and say what it locked and rewrote."""
    before = {oid: (name, file) for oid, name, file in copy.execute(FILES).fetchall()}
    copy.execute("SAVEPOINT statement")
    copy.execute(statement.secret_sql or statement.sql)
    held = copy.execute(LOCKS, [list(before)]).fetchall()
    after = {oid: file for oid, _, file in copy.execute(FILES).fetchall()}
    rewrites = tuple(
        sorted(name for oid, (name, file) in before.items() if oid in after and after[oid] != file)
    )
    copy.execute("RELEASE SAVEPOINT statement")
    return replace(statement, locks=_strongest(held), rewrites=rewrites)


def _strongest(held: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    best: dict[str, int] = {}
    for relation, mode in held:
        best[relation] = max(best.get(relation, 0), STRENGTH.index(mode))
    return tuple(f"{relation} {STRENGTH[rank]}" for relation, rank in sorted(best.items()))


def _names(changes: Mapping[Address, Change]) -> tuple[str, ...]:
    return tuple(f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
