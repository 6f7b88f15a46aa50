"""Report what interrupted runs have dropped and not created again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.execution.history import RecordedStatement, Run, interrupted, statements
from novaops.planning.changes import Create
from novaops.planning.hazard_codes import REFUSED_BY_ROWS
from novaops.planning.missing import missing_after, name
from novaops.planning.origin import state
from novaops.planning.plan import Hazard, Missing, Plan, PlannedChange, Statement
from novaops.planning.planner import assessed
from novaops.planning.request import Request

RESTORED = "restored after the interrupted run (history {run})"


@dataclass(frozen=True, slots=True)
class Lost:
    """An object that is missing since a run of the journal."""

    run: int
    missing: Missing


def lost(connection: psycopg.Connection[Any], live: Snapshot | None = None) -> list[Lost]:
    """Return the objects that interrupted runs have dropped and that nobody has created again.

    Without `live` only the journal is asked, which knows nothing of what people have created by hand.
    """
    found: dict[str, Lost] = {}
    for run in interrupted(connection):
        recorded = statements(connection, run)
        for again in (each for s in recorded if s.state == "done" for each in s.restores):
            found.pop(again, None)
        found.update({m.name: Lost(run.run, m) for m in missing_of(recorded)})
    known = {} if live is None else {name(obj): state(obj)[0] for obj in live}
    return [each for each in found.values() if not _is_there(each.missing, known)]


def missing_of(recorded: Sequence[RecordedStatement]) -> tuple[Missing, ...]:
    """Return what is missing after a run that stopped between these statements.

    A run of a novaops that did not record it tells at least which rebuilds it has begun and not finished.
    """
    if all(s.dropped is None for s in recorded):
        begun = {(s.kind, s.object) for s in recorded if s.operation == "replace" and s.state == "done"}
        left = {(s.kind, s.object) for s in recorded if s.operation == "replace" and s.state != "done"}
        return tuple(Missing(kind, identity) for kind, identity in sorted(begun & left))
    return missing_after((), recorded, [s.state == "done" for s in recorded])


def restoring(plan: Plan, gone: Sequence[Lost], desired: Snapshot, *, resumed: bool = False) -> Plan:
    """Return the plan with what it gives back to the database as such.

    What an interrupted run has dropped was in force before it, so its restoration needs no approval, unless
    PostgreSQL would refuse it for the rows that have come meanwhile. That holds where it comes back as it was or as
    the run would have created it; a `resumed` run creates nothing else.
    """
    taken = {each.missing.name: each for each in gone}
    states = {} if resumed else {name(obj): state(obj)[0] for obj in desired}
    back = {n: each for n, each in taken.items() if resumed or states.get(n) in each.missing.states}
    changes = tuple(_restored(change, back) for change in plan.changes)
    asked = {h for change in changes for h in change.hazards}
    freed = {h for change in plan.changes for h in change.hazards} - asked
    marked = list(plan.statements) if resumed else _marked(plan, taken)
    return replace(
        plan,
        changes=changes,
        blocked=tuple(h for h in plan.blocked if h not in freed),
        statements=tuple(replace(s, hazards=_less(s.hazards, freed)) for s in marked),
        missing=tuple(each.missing for each in gone),
    )


def approvals(request: Request, connection: psycopg.Connection[Any], gone: Sequence[Lost]) -> dict[str, str]:
    """Return approvals of the hazards that lie in nothing but the restoration of what is missing."""
    taken = {each.missing.name: each for each in gone}
    found = assessed(request, connection)
    given = {}
    for address, hazards in found.hazards.items():
        change = found.draft.changes.get(address)
        known = taken.get(name(change.new)) if isinstance(change, Create) else None
        if isinstance(change, Create) and known and state(change.new)[0] in known.missing.states:
            reason = RESTORED.format(run=known.run)
            given.update({h.consent: reason for h in hazards if h.hazard not in REFUSED_BY_ROWS})
    return given


def not_restored(plan: Plan, gone: Sequence[Lost]) -> tuple[Missing, ...]:
    """Return what interrupted runs have dropped and a plan of what needs no approval leaves out."""
    left_out = {f"{change.kind} {change.object}" for change in plan.left_out}
    return tuple(each.missing for each in gone if each.missing.name in left_out)


def _restored(change: PlannedChange, back: Mapping[str, Lost]) -> PlannedChange:
    found = back.get(f"{change.kind} {change.object}")
    if found is None or (change.operation != "create" and not found.missing.exists):
        return change
    return replace(
        change,
        operation="alter" if found.missing.exists else "replace",
        detail=(RESTORED.format(run=found.run),),
        hazards=tuple(h for h in change.hazards if h.hazard in REFUSED_BY_ROWS),
    )


def _less(hazards: Sequence[Hazard], freed: set[Hazard]) -> tuple[Hazard, ...]:
    return tuple(h for h in hazards if h not in freed)


def _marked(plan: Plan, taken: Mapping[str, Lost]) -> list[Statement]:
    """The statements, of which the last one about each missing object, or about what contains it, restores it."""
    marked = list(plan.statements)
    for change in plan.changes:
        lost_name = f"{change.kind} {change.object}"
        homes = ((change.kind, change.object), (change.container_kind, change.container))
        numbers = ([n for n, s in enumerate(marked) if (s.kind, s.object) == home] for home in homes)
        if lost_name in taken and (last := next((found[-1] for found in numbers if found), None)) is not None:
            marked[last] = replace(marked[last], restores=(*marked[last].restores, lost_name))
    return marked


def _is_there(missing: Missing, known: Mapping[str, str]) -> bool:
    if missing.name not in known:
        return False
    return not missing.exists or known[missing.name] in missing.states


def latest_interrupted(connection: psycopg.Connection[Any]) -> Run | None:
    """Return the run that an apply may resume."""
    return next(iter(reversed(interrupted(connection))), None)
