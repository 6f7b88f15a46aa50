"""Runs a plan on a throwaway copy of the live schema and looks at what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import errors

from novaops.catalog.address import Address
from novaops.catalog.snapshot import Snapshot
from novaops.errors import NovaopsError
from novaops.execution.copy import Stage, as_live, given_as_in
from novaops.execution.observe import BeyondError, Observer, reaches_out
from novaops.execution.rehearsal import Rehearsal
from novaops.planning.changes import Change, Drop
from novaops.planning.diff import Comparison, diff
from novaops.planning.plan import Plan, Statement
from novaops.planning.planner import live_fingerprint
from novaops.planning.scope import Scope


@dataclass(frozen=True, slots=True)
class Proof:
    """What a rehearsal compares: the live schema with its copy, and the copy with what is `desired`.

    Without `desired` (a plan from a file) the result is known only by its fingerprint. `second` asks for a
    second opinion on the copy and tells it in words, with the names of what it finds different.
    """

    live: Snapshot
    desired: Snapshot | None
    scope: Scope
    comparison: Comparison
    second: Callable[[psycopg.Connection[Any], Snapshot], tuple[str, tuple[str, ...]]] | None = None


def rehearse(stage: Stage, plan: Plan, proof: Proof) -> Plan:
    """The plan with what was seen of its statements, and the `Rehearsal` as its `rehearsal`."""
    with stage.rehearsal():
        if (unfaithful := copied(stage, proof)) is not None:
            return replace(plan, rehearsal=unfaithful.as_json())
        return tried(stage, plan, lambda: judged(stage, plan, proof))


def copied(stage: Stage, proof: Proof) -> Rehearsal | None:
    """Copy the live schema; returns why there is no faithful copy, if so."""
    try:
        stage.copy(proof.live, proof.comparison)
    except psycopg.Error as error:
        return Rehearsal(False, error=f"copying the live schema: {_first_line(error)}")
    unlike = diff(proof.live, stage.snapshot(), Scope(frozenset(), True), proof.comparison)
    return Rehearsal(False, names(unlike)) if unlike else None


def tried(stage: Stage, plan: Plan, judge: Callable[[], Rehearsal]) -> Plan:
    """The plan, run on the copy until a statement fails, with the verdict of that or of `judge`."""
    observer, seen = Observer.of(stage), list[Statement]()
    try:
        for statement in plan.statements:
            seen.append(observer.run(statement))
    except errors.OutOfMemory as error:
        raise NovaopsError(
            f"the server has no room for what one statement needs; nothing was applied: {_first_line(error)}",
            detail=plan.statements[len(seen)].sql,
            hint=error.diag.message_hint
            or "set max_locks_per_transaction of the server higher, and restart it",
        ) from error
    except BeyondError as error:
        verdict = Rehearsal(False, error=f"{plan.statements[len(seen)].sql}: {error.message}")
    except psycopg.Error as error:
        # A label is used in the transaction that adds it, which happens only where nothing can be committed.
        untried = isinstance(error, errors.UnsafeNewEnumValueUsage) and not stage.commits
        verdict = Rehearsal(not untried, error=f"{plan.statements[len(seen)].sql}: {_refusal(error)}")
    else:
        verdict = judge()
    verdict = _with_left_out(verdict, stage)
    statements = (*seen, *plan.statements[len(seen) :])
    return replace(plan, statements=statements, rehearsal=verdict.as_json())


def _with_left_out(verdict: Rehearsal, stage: Stage) -> Rehearsal:
    """The verdict, with what the copy lacks; where the plan fails that may be the reason, and nothing is proven."""
    left_out = names(stage.left_out)
    if left_out and verdict.failed:
        why = verdict.error or f"still different: {verdict.listed}"
        return Rehearsal(False, error=f"the copy lacks {', '.join(left_out)}, which you may not make; {why}")
    return replace(verdict, left_out=left_out, committed=stage.commits)


def judged(stage: Stage, plan: Plan, proof: Proof) -> Rehearsal:
    """Where the plan has led."""
    after = given_as_in(proof.live, stage.snapshot())
    result = live_fingerprint(as_live(after, proof.live, proof.comparison), proof.scope)
    not_run = tuple(s.sql for s in plan.statements if reaches_out(s))
    told = Rehearsal(True, fingerprint=None if not_run else result, not_run=not_run)
    if proof.desired is None:
        expected = {plan.desired_fingerprint, Rehearsal.of(plan.rehearsal).fingerprint}
        return replace(told, compared=result in expected)
    changes = diff(after, proof.desired, proof.scope, proof.comparison)
    elsewhere = {s.object for s in plan.statements if reaches_out(s)}
    left = {a: c for a, c in changes.items() if _identity(c) not in elsewhere}
    if left or proof.second is None:
        return replace(told, left=names(left))
    opinion, entries = proof.second(stage.connection, after)
    return replace(told, left=entries, pg_dump=opinion)


def _identity(change: Change) -> str:
    return (change.old if isinstance(change, Drop) else change.new).identity


def names(changes: Iterable[Address]) -> tuple[str, ...]:
    """What differs, for people."""
    return tuple(f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))


def _refusal(error: psycopg.Error) -> str:
    """PostgreSQL's message with its SQLSTATE, and what it says beside."""
    state = f" [{error.sqlstate}]" if error.sqlstate else ""
    said = [error.diag.message_detail, error.diag.message_hint, error.diag.context]
    return "\n".join([f"{_first_line(error)}{state}", *filter(None, said)])


def _first_line(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
