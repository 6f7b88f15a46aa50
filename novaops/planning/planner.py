"""Makes a plan: draft, hazards, and the artifact that people and programs read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.fingerprint import fingerprint
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.db.locks import LockTable, lock_table
from novaops.db.session_settings import time_zone
from novaops.errors import NovaopsError
from novaops.planning.busy import busy_relations
from novaops.planning.draft import Draft, draft
from novaops.planning.gaps import Gap
from novaops.planning.hazard_codes import EVERYTHING, with_consent
from novaops.planning.hazards import Assessment, assess, hazard
from novaops.planning.masking import masked
from novaops.planning.nodes import kind_of
from novaops.planning.notices import beyond, crowded, firing, not_compared, out_of_reach, unread, untold
from novaops.planning.origin import origins
from novaops.planning.outages import Sizes, outages
from novaops.planning.ownership import ownership
from novaops.planning.parking import Parking, park
from novaops.planning.plan import Hazard, Plan, PlannedChange, Statement
from novaops.planning.proposals import proposed
from novaops.planning.readers import readers
from novaops.planning.request import Request
from novaops.planning.scope import Scope
from novaops.planning.shown import renamed_changes, shown_changes
from novaops.planning.statements import Written


@dataclass(frozen=True, slots=True)
class Assessed:
    """A draft and its hazards: by the object that changes, and those of each statement by itself."""

    draft: Draft
    locks: LockTable
    assessment: Assessment
    working: Sequence[tuple[Hazard, ...]]
    parking: Parking

    @property
    def hazards(self) -> dict[Address, tuple[Hazard, ...]]:
        """All hazards, by object."""
        found = dict(self.assessment.hazards)
        for written, told in zip(self.draft.written, self.working, strict=True):
            if told:
                found[written.object.address] = (*found.get(written.object.address, ()), *told)
        return found


def plan(
    request: Request,
    connection: psycopg.Connection[Any] | None,
    busy: psycopg.Connection[Any] | None = None,
) -> Plan:
    """The plan from the live snapshot to the desired one; `connection` is asked about live data.

    `busy` tells in its stead which tables hold rows, where those that `connection` reaches do not.
    """
    return written_plan(request, assessed(request, connection, busy))


def assessed(
    request: Request,
    connection: psycopg.Connection[Any] | None,
    busy: psycopg.Connection[Any] | None = None,
) -> Assessed:
    """The draft, and what it would do to the live data and to those who work with them."""
    locks = LockTable() if connection is None else lock_table(connection)
    parking = _parked(request)
    made = _drafted(replace(request, live=parking.live), busy or connection, locks.room)
    if connection is not None:
        made = replace(made, scene=replace(made.scene, time_zone=time_zone(connection)))
    found = assess(made.changes, made.scene, connection, request.written, request.comparison)
    beyond_it = request.watch(request, made) if request.watch else ()
    undeclared = request.undeclared.hazards(made.changes, request.live, found.hazards)
    for address, whole in (*_of_the_whole(request, made), *undeclared, *beyond_it):
        found.hazards[address] = (*found.hazards.get(address, ()), whole)
    for address in parking.held & found.hazards.keys():
        found.hazards[address] = tuple(replace(h, by_name=True) for h in found.hazards[address])
    sizes = None if connection is None else Sizes(connection)
    return Assessed(made, locks, found, outages(made, sizes, request.safe_below), parking)


def written_plan(request: Request, found: Assessed) -> Plan:
    """The artifact, with the consents of the request."""
    made, hazards = found.draft, found.hazards
    made_plan = Plan(
        target=request.target,
        source_fingerprint=live_fingerprint(request.live, request.scope),
        desired_fingerprint=live_fingerprint(request.desired, request.scope),
        changes=(
            *_role_changes(request),
            *found.parking.changes,
            *shown_changes(
                made,
                hazards,
                request.places,
                origins(request.last, request.live, request.goal, made.changes),
            ),
            *_renames(request),
        ),
        last_applied=request.last.place if request.last else None,
        statements=(
            *_role_statements(request),
            *found.parking.statements,
            *_statements(found, bool(request.missing_roles or found.parking.statements)),
        ),
        blocked=tuple(dict.fromkeys(h for group in hazards.values() for h in group if not h.pending)),
        skipped=tuple(
            o.identity
            for o in request.live
            if o.parent is None and not request.scope.own(o) and request.scope.excluded(o, request.live)
        ),
        unmanaged=(
            *(f"{a.type} {'.'.join(a.names)}" for a in request.live.unmodelled),
            *unread(request.live, request.goal),
        ),
        notices=(
            *beyond(request),
            *out_of_reach(request),
            *not_compared(request),
            *proposed(made, request.places),
            *_noticed(request),
            *crowded(made, found.locks),
            *untold(found.assessment),
            *readers(made),
            *request.undeclared.notices,
            *firing(request, made),
            *found.parking.notices,
        ),
        objects=sum(o.parent is None for o in request.desired),
        time_zone=made.scene.time_zone,
        undeclared=request.undeclared.left(made.changes, found.parking.live),
        owned=ownership(made, [n.present.address for n in request.renamed.names] if request.renamed else ()),
    )
    return with_consent(made_plan, request.allowed)


def _parked(request: Request) -> Parking:
    if request.park is None:
        return Parking(request.live)
    return park(request.live, request.goal, request.scope, request.comparison, request.park)


def _of_the_whole(request: Request, made: Draft) -> Iterator[tuple[Address, Hazard]]:
    """Hazards that no single object knows of."""
    if request.empty and made.changes:
        message = f"{request.files} declares nothing: everything that it manages would be dropped"
        yield min(made.changes), hazard("data-loss", request.target.database, message)
    for gap in made.gaps:
        yield gap.object.address, hazard("gap", gap.object.identity, _missing(gap, made))
    for stuck, because in made.broken.items():
        obj = request.live[stuck]
        message = f"not managed by the files, but in the way of changing {request.live[because].identity}"
        yield because, hazard("unmanaged-dependant", obj.identity, message)


def _missing(gap: Gap, made: Draft) -> str:
    """Say from when until when the object is missing, and what that exposes."""
    taken, given = (made.written[n].step.sql.partition("\n")[0] for n in (gap.taken, gap.given))
    return f"is missing from “{taken}” until “{given}” has run: {kind_of(gap.object).missing(gap.object)}"


def check_readable(request: Request, made: Plan) -> None:
    """Raise `NovaopsError` where the plan would make something of which the server does not tell all that is declared."""
    hidden = {o.identity: kind_of(o).unread(o) for o in request.goal}
    for change in made.changes:
        unknown = hidden.get(change.object) if change.operation in ("create", "replace") else None
        if unknown:
            what = ", ".join(sorted(name.replace("_", " ") for name in unknown))
            raise NovaopsError(
                f"{change.kind} {change.object} cannot be made by {request.target.user}:"
                f" PostgreSQL does not tell that role its {what}",
                hint=f"apply as a superuser, or make it by hand: CREATE {change.kind.upper()}, and plan again;"
                " an entry in .pgschemaignore leaves it alone",
            )


def live_fingerprint(snapshot: Snapshot, scope: Scope) -> str:
    """Fingerprint of what a plan looks at: everything but ignored objects and novaops' own."""
    return fingerprint(o for o in snapshot if not scope.excluded(o, snapshot))


def _drafted(request: Request, connection: psycopg.Connection[Any] | None, room: int) -> Draft:
    """The draft, with unmanaged objects rebuilt where that was allowed, and gentle to tables with rows."""

    steps = request.renamed.steps if request.renamed else ()
    last = [Written(step, obj, "rename") for obj, step in steps]

    def drafted(agreed: frozenset[Address], busy: frozenset[Address]) -> Draft:
        return draft(request.live, request.goal, request.scope, request.comparison, agreed, busy, room, last)

    made = drafted(frozenset(), frozenset())
    in_the_way = {a: hazard("unmanaged-dependant", request.live[a].identity, "") for a in made.broken}
    agreed = frozenset(
        a for a, h in in_the_way.items() if not {EVERYTHING, h.hazard, h.consent}.isdisjoint(request.allowed)
    )
    busy = busy_relations(made, connection) if connection is not None else frozenset()
    return drafted(agreed, busy) if agreed or busy else made


def _renames(request: Request) -> Iterator[PlannedChange]:
    return renamed_changes(request.renamed) if request.renamed else iter(())


def _noticed(request: Request) -> Sequence[str]:
    return request.renamed.notices if request.renamed else ()


def _role_changes(request: Request) -> Iterator[PlannedChange]:
    for role in request.missing_roles:
        yield PlannedChange("create", "role", quote_ident(role), name=role)


def _role_statements(request: Request) -> Iterator[Statement]:
    for role in request.missing_roles:
        yield Statement(f"CREATE ROLE {quote_ident(role)}", 1, "role", quote_ident(role), "create")


def _statements(assessed: Assessed, later: bool) -> Iterator[Statement]:
    """The statements; `later` when transaction 1 is taken."""
    shown: set[Address] = set()
    made, of_objects = assessed.draft, assessed.assessment
    for written, number, told in zip(made.written, made.numbers, assessed.working, strict=True):
        address = written.object.address
        first = address not in shown
        shown.add(address)
        yield Statement(
            sql=masked(written.step),
            masked=bool(written.step.secrets),
            index=written.step.index,
            table=_live_table(made, written.object),
            patient=written.step.patient,
            drops=written.drops,
            restores=written.restores,
            secret_sql=written.step.sql if written.step.secrets else None,
            transaction=None if number is None else number + later,
            kind=kind_of(written.object).name,
            object=written.object.identity,
            operation=written.operation,
            hazards=(*(of_objects.hazards.get(address, ()) if first else ()), *told),
            guards=of_objects.guards.get(address, ()) if first else (),
        )


def _live_table(made: Draft, obj: Object) -> str | None:
    """The table that is there already and that the object is, or is a part of."""
    live = made.scene.live
    *_, root = obj, *(live if obj.address in live else made.scene.desired).ancestors(obj)
    return live[root.address].identity if root.address in live and root.address.type == "table" else None
