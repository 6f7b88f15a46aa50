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
from novaops.planning.live_data import ask
from novaops.planning.nodes import kind_of
from novaops.planning.plan import Guard, Hazard

VERBS = {"behaviour": "changes", "row-security": "weakens"}
AS_DECLARED = Comparison()
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
            if harm is not None:
                hazards.append(harm)
                if obstacle.tries:
                    # Nothing is narrowed by a statement that is refused, and nothing could be counted.
                    hazards = [h for h in hazards if h.hazard != "narrowing" or h.object != obstacle.subject]
            elif _busy(change, scene) and obstacle.subject not in found.unknown:
                found.unknown.append(obstacle.subject)
        if repaired:
            hazards = [replace(h, pending=h.hazard in REPAIRABLE and h.query is not None) for h in hazards]
        guards = [
            Guard(r.hazard, r.subject, r.exists, r.lock) for r, h in told.items() if h is None and r.exists
        ]
        if hazards:
            found.hazards[address] = tuple(hazards)
        if guards:
            found.guards[address] = tuple(guards)
    return found


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
) -> Iterator[tuple[Risk, Hazard | None]]:
    """What PostgreSQL will refuse for the rows that are there, and None with what only it can tell.

    What is `repaired` may not be there yet to be asked about, and is told without a count.
    """
    if connection is None or isinstance(change, Drop) or (isinstance(change, Alter) and not change.changed):
        return
    for risk in kind_of(change.new).obstacles(change.new, scene):
        row = ask(connection, risk.exists, (True,) if risk.tries else None) if risk.exists else None
        if row is None and repaired and risk.exists:
            yield risk, _told(risk, None)
        elif row is None or row[0]:
            yield risk, None if row is None else _told(risk, connection)


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
) -> Hazard:
    """A hazard with its code, not yet allowed."""
    return Hazard(name, HAZARDS[name].code, subject, message, affected, total, query=query)


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
