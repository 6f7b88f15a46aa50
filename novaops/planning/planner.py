"""Makes a plan: draft, hazards, and the artifact that people and programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.fingerprint import fingerprint
from novaops.catalog.object import Object
from novaops.catalog.privileges import GRANTS
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.db.locks import LockTable, lock_table
from novaops.db.session_settings import time_zone
from novaops.desired.renamed import Renamed
from novaops.diagnostics import Source
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.kinds.grants import taken_back
from novaops.planning.busy import busy_relations
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft, draft
from novaops.planning.gaps import Gap
from novaops.planning.hazard_codes import EVERYTHING, with_consent
from novaops.planning.hazards import Assessment, assess, hazard
from novaops.planning.masking import masked
from novaops.planning.nodes import kind_of
from novaops.planning.origin import LastApplied, origins
from novaops.planning.outages import SAFE_BELOW, Sizes, outages
from novaops.planning.ownership import ownership
from novaops.planning.parking import Parking, park
from novaops.planning.plan import Hazard, Plan, PlannedChange, Statement, Target
from novaops.planning.privileges import PrivilegeMode, wanted
from novaops.planning.proposals import proposed
from novaops.planning.readers import readers
from novaops.planning.scope import Scope
from novaops.planning.shown import renamed_changes, shown_changes
from novaops.planning.statements import Written
from novaops.planning.undeclared import NONE_UNDECLARED, Undeclared


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a plan is made of."""

    live: Snapshot
    desired: Snapshot
    scope: Scope
    comparison: Comparison
    target: Target
    allowed: Mapping[str, str] = field(default_factory=dict)
    """What was consented to, as `hazard_codes.consent()` writes it, with the reasons."""
    missing_roles: tuple[str, ...] = ()
    """Roles that the files name, the server lacks and the plan is to create."""
    passing_roles: tuple[str, ...] = ()
    """Roles that only a statement of the files makes, which no plan runs (`Desired.passing_roles`)."""
    empty: bool = False
    """Whether the files hold no statement: an accident more often than a wish."""
    sources: Mapping[Address, Source] = field(default_factory=dict)
    files: str = ""
    written: frozenset[str] = frozenset()
    """Tables whose rows change before the plan is applied: those that pre-migrations write to."""
    safe_below: int = SAFE_BELOW
    """Bytes of rows below which nobody minds that a table is locked, read or written anew."""
    last: LastApplied | None = None
    """The database as the last apply left it, where that is known."""
    park: timedelta | None = None
    """How long dropped tables are kept aside; None drops them."""
    renamed: Renamed | None = None
    """What is desired under the names that the live database has, where these are others."""
    watch: Watch | None = None
    """Who tells of harm that the plan does beyond the database."""
    undeclared: Undeclared = NONE_UNDECLARED
    """Objects that nobody declared; a plan between two given states has none."""
    partial: bool = False
    """Whether `desired` is only a part of what the files declare: what needs no approval."""

    @property
    def goal(self) -> Snapshot:
        """Where the plan leads to until it renames anything."""
        return self.renamed.snapshot if self.renamed else self.desired

    @property
    def places(self) -> Mapping[Address, Source]:
        """Where each object of `goal` was declared."""
        return self.renamed.sources if self.renamed else self.sources


NAMED = 5
"""How many objects a notice lists."""
Watch = Callable[[Request, Draft], Iterable[tuple[Address, Hazard]]]
"""The hazards of a draft that concern others, by the objects that change."""


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
            *_crowded(made, found.locks),
            *_untold(found.assessment),
            *readers(made),
            *request.undeclared.notices,
            *_firing(request, made),
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


def unread(live: Snapshot, desired: Snapshot) -> list[str]:
    """Attributes that are not compared, as the server keeps them from the role."""
    found = {
        f"{attribute.replace('_', ' ')} of {obj.address.type} {obj.identity}"
        for snapshot in (live, desired)
        for obj in snapshot
        for attribute in kind_of(obj).unread(obj)
    }
    return sorted(found)


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


def beyond(request: Request) -> Iterator[str]:
    """What stays another way than the files have it, as PostgreSQL has no statement for it."""
    for address, new in sorted(request.goal.objects.items()):
        old = request.live.objects.get(address)
        if old is not None and old.kind == new.kind and not request.scope.excluded(new, request.goal):
            said = kind_of(new).beyond(old, new).values()
            yield from (f"{text}: PostgreSQL has no statement to change that" for text in said if text)


def out_of_reach(request: Request) -> Iterator[str]:
    """Privileges that stay although the files do not have them, since the role may not act as who gave them."""
    for address, new in sorted(request.goal.objects.items()):
        old = request.live.objects.get(address)
        if old is None or GRANTS not in old.facts or request.scope.excluded(new, request.goal):
            continue
        how = request.comparison
        goal = wanted(old, new, how.privileges, how.ignored, how.owners, how.own)
        for grant in taken_back(old.facts[GRANTS], goal) if goal is not None else ():
            if not grant.reached:
                yield (
                    f"{new.identity}: {grant.privilege} of {grant.grantee or 'PUBLIC'} stays, as"
                    f" {quote_ident(grant.grantor)} gave it and the role that applies cannot act as"
                    f" {quote_ident(grant.grantor)}: apply as a member of that role, or REVOKE … CASCADE by hand"
                )


def not_compared(request: Request) -> Iterator[str]:
    """Objects whose privileges stay as they are, as the files give none on them, though they do on others (`auto`)."""
    if request.comparison.privileges is not PrivilegeMode.AUTO:
        return
    carrying = (o for o in request.goal if o.privileges is not None and not kind_of(o).supplied)
    declared = [o for o in carrying if o.address in request.places or o.parent in request.places]
    silent = [
        new.identity
        for new in sorted(declared, key=lambda o: o.address)
        if new.privileges == new.default_privileges
        and (old := request.live.objects.get(new.address)) is not None
        and old.privileges not in (None, old.default_privileges)
        and not request.scope.excluded(new, request.goal)
    ]
    if silent and any(o.privileges != o.default_privileges for o in declared):
        more = f" and {len(silent) - NAMED:,} more" if len(silent) > NAMED else ""
        yield (
            f"privileges on {', '.join(silent[:NAMED])}{more} are not compared, as the files give none:"
            " REVOKE what is too much, or plan with --privileges managed"
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


def _firing(request: Request, made: Draft) -> Iterator[str]:
    """What runs for statements of the plan and may refuse them."""
    for obj in request.live if made.written else ():
        if (event := kind_of(obj).fires(obj)) is not None and not request.scope.excluded(obj, request.live):
            yield (
                f"{kind_of(obj).name} {obj.identity} fires {event}, also for what this plan runs, and may refuse it;"
                f" {command_line('apply', '--no-event-triggers')} turns event triggers off meanwhile (PostgreSQL 17,"
                " superuser)"
            )


def _crowded(made: Draft, locks: LockTable) -> Iterator[str]:
    """What is to be known where the lock table of the server is small for what is planned."""
    if made.full:
        yield (
            f"more locks than one transaction may hold here ({locks.room:,}): it takes {made.full + 1} of them,"
            " and what one has committed stays when a later one fails"
        )
    for written in made.written:
        if written.locks > locks.size:
            yield (
                f"{written.step.sql.partition(chr(10))[0]}: about {written.locks:,} locks at once, and the server"
                f" has room for {locks.size:,}; set max_locks_per_transaction, now {locks.per_transaction},"
                f" to {locks.setting_for(written.locks)} there and restart it"
            )


def _untold(found: Assessment) -> Iterator[str]:
    """What may fail although no hazard says so."""
    for subject in found.unknown:
        yield (
            f"{subject}: whether the rows satisfy it cannot be told beforehand (it takes long, or needs what the plan"
            " makes); if not, the statement that reads them fails, and what was committed before stays"
        )


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
