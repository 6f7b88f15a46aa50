"""The harm that changes do to the live data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.kind import Risk, Scene
from novaops.planning import access
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import Comparison
from novaops.planning.hazard_codes import HAZARDS, REFUSED_BY_ROWS
from novaops.planning.live_data import RowError, ask, examine
from novaops.planning.nodes import kind_of
from novaops.planning.plan import Guard, Hazard
from novaops.planning.raising_row import raising_row

VERBS = {"behaviour": "changes", "row-security": "weakens"}
AS_DECLARED = Comparison()
RAISED = "check"
"""The hazard of an expression that raises an error for a row."""
REPAIRABLE = REFUSED_BY_ROWS | {"narrowing"}
"""Hazards that a change of the rows can remove."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Hazards of each change, and what to look at again where there was no harm to be found."""

    hazards: dict[Address, tuple[Hazard, ...]] = field(default_factory=dict)
    guards: dict[Address, tuple[Guard, ...]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """Identities of what PostgreSQL may refuse for rows that could not be looked up."""


def assess(
    changes: Mapping[Address, Change],
    scene: Scene,
    connection: psycopg.Connection[Any] | None,
    written: frozenset[str] = frozenset(),
    comparison: Comparison = AS_DECLARED,
) -> Assessment:
    """Look all risks up in the live data; without a connection every risk counts as a hazard.

    `comparison` tells which privileges the objects end with.
    Of the tables `written` (their identities) by pre-migrations that are still to run, what may be
    repaired by them is `pending`.
    """
    found = Assessment()
    raised: list[tuple[Address, Risk, RowError]] = []
    goals = {address: access.settled(change, scene, comparison) for address, change in changes.items()}
    named = access.by_name(goals.values())
    for address, change in goals.items():
        used = access.both(change, scene, named)
        known = [*risks(change, changes, scene), *access.handed_over(change)]
        if used:
            known += access.widened(*used)
            known += kind_of(used[1]).instead(*used, scene) if used[0].address != used[1].address else ()
        told = {risk: _hazard(risk, connection) for risk in known}
        repaired = _relation(change, scene) in written
        hazards = [h for h in told.values() if h]
        if used and used[0].address.args == used[1].address.args and (revoked := access.revoked(*used)):
            hazards.append(hazard("access-loss", used[1].identity, revoked))
        for obstacle, harm in _refused(change, scene, connection, repaired):
            if isinstance(harm, Hazard):
                hazards.append(harm)
                if obstacle.tries:
                    # Nothing is narrowed by a statement that is refused, and nothing could be counted.
                    hazards = [h for h in hazards if h.hazard != "narrowing" or h.object != obstacle.subject]
            elif harm is not None:
                raised.append((address, obstacle, harm))
            elif _busy(change, scene) and obstacle.subject not in found.unknown:
                found.unknown.append(obstacle.subject)
        if repaired:
            hazards = _pending(hazards)
        guards = [
            Guard(r.hazard, r.subject, r.exists, r.lock) for r, h in told.items() if h is None and r.exists
        ]
        if hazards:
            found.hazards[address] = tuple(hazards)
        if guards:
            found.guards[address] = tuple(guards)
    raised.sort(key=lambda each: kind_of(scene.desired[each[0]]).rank)
    for address, obstacle, error in raised:
        known_hazards = found.hazards.get(address, ())
        if _explained(address, obstacle, found, scene):
            continue
        repaired = _relation(goals[address], scene) in written
        harm = _raised(obstacle, error, None if repaired else connection)
        found.hazards[address] = (*known_hazards, *(_pending([harm]) if repaired else [harm]))
    return found


def _pending(hazards: Sequence[Hazard]) -> list[Hazard]:
    """Those that pre-migrations may remove are looked at again after them."""
    return [replace(h, pending=h.hazard in REPAIRABLE and h.query is not None) for h in hazards]


def _explained(address: Address, obstacle: Risk, found: Assessment, scene: Scene) -> bool:
    """Whether a hazard that is told already accounts for the error: its own, or that of a column that is converted."""
    if any((h.hazard, h.object) == (RAISED, obstacle.subject) for h in found.hazards.get(address, ())):
        return True
    if obstacle.evaluation is None or not obstacle.evaluation.columns:
        return False
    needed = (edge.referenced for edge in scene.desired.dependencies.get(address, ()))
    return any(h.hazard in REFUSED_BY_ROWS for a in needed for h in found.hazards.get(a, ()))


def _raised(obstacle: Risk, error: RowError, connection: psycopg.Connection[Any] | None) -> Hazard:
    """The hazard of an expression that raises an error for a row, with a query for that row where it can be found."""
    evaluation = obstacle.evaluation
    query = obstacle.query
    if evaluation is not None:
        row = None if connection is None else raising_row(connection, evaluation)
        query = row or evaluation.query()
    return hazard(RAISED, obstacle.subject, f"a row raises an error: {error.message}", query=query)


def risks(change: Change, changes: Mapping[Address, Change], scene: Scene) -> Sequence[Risk]:
    """What the kind of the object says may be lost."""
    match change:
        case Create(new):
            return kind_of(new).opens(new, scene)
        case Alter(old, new, changed):
            differs = changed | {"owner"} if change.owner else changed
            return kind_of(old).risks(old, new, differs, scene) if differs else ()
        case Drop(old):
            if gone_with(old, changes, scene):
                return ()
            return kind_of(old).risks(old, None, frozenset(), scene)
        case Replace(old, new):
            if gone_with(old, changes, scene):
                return ()
            rebuilt = not kind_of(old).data or _kept(old, scene)
            changed = frozenset(n for n in old.attributes if old[n] != new.attributes.get(n))
            return kind_of(old).risks(old, new if rebuilt and old.kind == new.kind else None, changed, scene)


def gone_with(old: Object, changes: Mapping[Address, Change], scene: Scene) -> bool:
    """Whether something that contains the object goes too, so that its risk is told there."""
    containers = (changes.get(o.address) for o in scene.live.ancestors(old))
    # What a table holds that keeps its rows is looked at column by column.
    return any(isinstance(c, Drop | Replace) and c.address not in scene.moved for c in containers)


def _kept(old: Object, scene: Scene) -> bool:
    """Whether what is stored in it is copied into the new one."""
    return any(o.address in scene.moved for o in (old, *scene.live.ancestors(old)))


def _relation(change: Change, scene: Scene) -> str:
    """The identity of what the rows are in that the change is about."""
    obj, snapshot = (change.old, scene.live) if isinstance(change, Drop) else (change.new, scene.desired)
    *_, relation = obj, *snapshot.ancestors(obj)
    return relation.identity


def _refused(
    change: Change, scene: Scene, connection: psycopg.Connection[Any] | None, repaired: bool
) -> Iterator[tuple[Risk, Hazard | RowError | None]]:
    """What PostgreSQL will refuse for the rows that are there, and None with what only it can tell.

    What is `repaired` may not be there yet to be asked about, and is told without a count.
    """
    if connection is None or isinstance(change, Drop) or (isinstance(change, Alter) and not change.changed):
        return
    for risk in kind_of(change.new).obstacles(change.new, scene):
        answer = examine(connection, risk.exists) if risk.exists else None
        if isinstance(answer, RowError):
            answer = (True,) if risk.tries else _evaluated(risk, answer, connection)
        if isinstance(answer, RowError):
            yield risk, answer
        elif answer is None and repaired and risk.exists:
            yield risk, _told(risk, None)
        elif answer is None or answer[0]:
            yield risk, None if answer is None else _told(risk, connection)


def _evaluated(risk: Risk, error: RowError, connection: psycopg.Connection[Any]) -> RowError | None:
    """The error, where the change evaluates just what raised it; a query may evaluate more than the change."""
    evaluation = risk.evaluation
    if evaluation is None or evaluation.once or evaluation.exists() == risk.exists:
        return error if evaluation is not None else None
    confirmed = examine(connection, evaluation.exists())
    return confirmed if isinstance(confirmed, RowError) else None


def _busy(change: Change, scene: Scene) -> bool:
    """Whether the table that it is about has rows."""
    if isinstance(change, Drop):
        return False
    *_, root = change.new, *scene.desired.ancestors(change.new)
    return root.address in scene.busy


def hazard(
    name: str,
    subject: str,
    message: str,
    affected: int | None = None,
    total: int | None = None,
    query: str | None = None,
    also: tuple[str, ...] = (),
) -> Hazard:
    """A hazard with its code, not yet allowed."""
    return Hazard(name, HAZARDS[name].code, subject, message, affected, total, query=query, also=also)


def _hazard(risk: Risk, connection: psycopg.Connection[Any] | None) -> Hazard | None:
    if connection is None or risk.exists is None:
        return _told(risk, None)
    row = ask(connection, risk.exists)
    if row is not None and not row[0]:
        return None
    # Where the rows could not be asked about, nor can they be counted.
    return _told(risk, connection if row is not None else None)


def _told(risk: Risk, connection: psycopg.Connection[Any] | None) -> Hazard:
    """The hazard, with how many rows or values it is about where they can be counted."""
    counted = ask(connection, risk.count) if connection is not None and risk.count else None
    affected, total = counted[:2] if counted else (None, None)
    return hazard(risk.hazard, risk.subject, _message(risk, affected, total), affected, total, risk.query)


def _message(risk: Risk, affected: int | None, total: int | None) -> str:
    what = risk.loses.removesuffix("s") if affected == 1 else risk.loses
    if risk.says is not None:
        return f"{what if affected is None else f'{affected:,} {what}'} {risk.says}"
    if affected is None:
        return f"{VERBS.get(risk.hazard, 'loses')} {what}"
    if total is None or total == affected:
        return f"loses {affected:,} {what}"
    return f"loses {affected:,} {what} (of {total:,} rows)"
