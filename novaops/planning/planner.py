"""Makes a plan: draft, hazards, and the artifact that people and programs read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.fingerprint import fingerprint
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.diagnostics import Source
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft, draft
from novaops.planning.hazard_codes import EVERYTHING, with_consent
from novaops.planning.hazards import Assessment, assess, hazard
from novaops.planning.masking import masked
from novaops.planning.nodes import kind_of
from novaops.planning.plan import Hazard, Plan, PlannedChange, Statement, Target
from novaops.planning.scope import OWN_SCHEMAS, Scope
from novaops.planning.statements import OPERATIONS


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a plan is made of."""

    live: Snapshot
    desired: Snapshot
    scope: Scope
    comparison: Comparison
    target: Target
    allowed: frozenset[str] = frozenset()
    """What was consented to, as `hazard_codes.consent()` writes it."""
    missing_roles: tuple[str, ...] = ()
    """Roles that the files name, the server lacks and the plan is to create."""
    empty: bool = False
    """Whether the files hold no statement: an accident more often than a wish."""
    sources: Mapping[Address, Source] = field(default_factory=dict)
    files: str = ""


def plan(request: Request, connection: psycopg.Connection[Any] | None) -> Plan:
    """The plan from the live snapshot to the desired one; `connection` is asked about live data."""
    made = _consented_draft(request)
    assessed = assess(made.changes, made.scene, connection)
    hazards = assessed.hazards
    for stuck, because in made.broken.items():
        obj = request.live[stuck]
        message = f"not managed by the files, but in the way of changing {request.live[because].identity}"
        found = hazard("unmanaged-dependant", obj.identity, message)
        hazards[because] = (*hazards.get(because, ()), found)
    if request.empty and made.changes:
        first = min(made.changes)
        message = f"{request.files} declares nothing: everything that it manages would be dropped"
        whole = hazard("data-loss", request.target.database, message)
        hazards[first] = (whole, *hazards.get(first, ()))
    made_plan = Plan(
        target=request.target,
        source_fingerprint=live_fingerprint(request.live, request.scope),
        desired_fingerprint=live_fingerprint(request.desired, request.scope),
        changes=(*_role_changes(request), *_planned(made, hazards, request)),
        statements=(*_role_statements(request), *_statements(made, assessed, bool(request.missing_roles))),
        blocked=tuple(dict.fromkeys(h for group in hazards.values() for h in group)),
        skipped=tuple(
            o.identity
            for o in request.live
            if o.parent is None and o.schema not in OWN_SCHEMAS and request.scope.excluded(o, request.live)
        ),
        unmanaged=tuple(f"{a.type} {'.'.join(a.names)}" for a in request.live.unmodelled),
        objects=sum(o.parent is None for o in request.desired),
    )
    return with_consent(made_plan, request.allowed)


def live_fingerprint(snapshot: Snapshot, scope: Scope) -> str:
    """Fingerprint of what a plan looks at: everything but ignored objects and novaops' own."""
    return fingerprint(o for o in snapshot if not scope.excluded(o, snapshot))


def _consented_draft(request: Request) -> Draft:
    """The draft; unmanaged objects in the way are rebuilt where that was allowed by name."""
    first = draft(request.live, request.desired, request.scope, request.comparison)
    in_the_way = {a: hazard("unmanaged-dependant", request.live[a].identity, "") for a in first.broken}
    agreed = frozenset(
        a for a, h in in_the_way.items() if not {EVERYTHING, h.hazard, h.consent}.isdisjoint(request.allowed)
    )
    if not agreed:
        return first
    return draft(request.live, request.desired, request.scope, request.comparison, agreed)


def _planned(
    made: Draft, hazards: Mapping[Address, tuple[Hazard, ...]], request: Request
) -> Iterator[PlannedChange]:
    for address, change in sorted(made.changes.items()):
        snapshot = made.scene.live if isinstance(change, Drop) else made.scene.desired
        obj = change.old if isinstance(change, Drop) else change.new
        if address not in hazards and _implied(change, obj, made, snapshot):
            continue
        container = snapshot.objects.get(obj.parent) if obj.parent else None
        while container is not None and container.parent is not None:
            container = snapshot[container.parent]
        yield PlannedChange(
            operation=OPERATIONS[type(change)],
            kind=kind_of(obj).name,
            object=obj.identity,
            schema=obj.schema,
            name=obj.name,
            container=container.identity if container else None,
            container_kind=kind_of(container).name if container else None,
            detail=tuple(_detail(change, request)),
            hazards=hazards.get(address, ()),
            source=request.sources.get(address),
        )


def _implied(change: Change, obj: Object, made: Draft, snapshot: Snapshot) -> bool:
    """Whether the change goes without saying: of something that comes or goes with what is shown."""
    holders = [*snapshot.ancestors(obj), *_belongs_to(obj, snapshot)]
    if isinstance(change, Create):
        return any(isinstance(made.changes.get(o.address), Create | Replace) for o in holders)
    if isinstance(change, Drop):
        return any(isinstance(made.changes.get(o.address), Drop | Replace) for o in holders)
    if isinstance(change, Replace):
        return any(isinstance(made.changes.get(o.address), Replace) for o in snapshot.ancestors(obj))
    return False


def _belongs_to(obj: Object, snapshot: Snapshot) -> Iterator[Object]:
    """What the object goes with when that is dropped: the column of a sequence."""
    for edge in snapshot.dependencies.get(obj.address, ()):
        if "a" in edge.types:
            yield snapshot[edge.referenced]


def _detail(change: Change, request: Request) -> Iterator[str]:
    match change:
        case Alter(old, new, changed):
            for name in sorted(changed):
                if old.attributes.get(name) != new.attributes.get(name):
                    yield kind_of(new).describe(old, new, name)
                else:
                    yield f"{name.replace('_', ' ')} set again"
            if change.comment:
                yield "comment"
            if change.owner:
                yield f"owner: {old.owner} → {new.owner}"
            if change.privileges is not None:
                yield "privileges"
        case Replace(old, new, because):
            if because is not None:
                named = request.live.objects.get(because) or request.desired[because]
                yield f"rebuilt: {named.identity} changes"
            elif old.kind != new.kind:
                yield f"{old.kind} → {new.kind}"
            else:
                names = sorted(n for n in old.attributes if old[n] != new.attributes.get(n))
                yield from (kind_of(new).describe(old, new, n) for n in names)
        case Create(new):
            if summary := kind_of(new).summary(new):
                yield summary
        case Drop():
            return


def _role_changes(request: Request) -> Iterator[PlannedChange]:
    for role in request.missing_roles:
        yield PlannedChange("create", "role", quote_ident(role), name=role)


def _role_statements(request: Request) -> Iterator[Statement]:
    for role in request.missing_roles:
        yield Statement(f"CREATE ROLE {quote_ident(role)}", 1, "role", quote_ident(role), "create")


def _statements(made: Draft, assessed: Assessment, later: bool) -> tuple[Statement, ...]:
    """The statements; `later` when transaction 1 is taken."""
    shown: set[Address] = set()
    found = []
    for written, number in zip(made.written, made.numbers, strict=True):
        address = written.object.address
        first = address not in shown
        shown.add(address)
        found.append(
            Statement(
                sql=masked(written.step),
                masked=bool(written.step.secrets),
                secret_sql=written.step.sql if written.step.secrets else None,
                transaction=None if number is None else number + later,
                kind=kind_of(written.object).name,
                object=written.object.identity,
                operation=written.operation,
                hazards=assessed.hazards.get(address, ()) if first else (),
                guards=assessed.guards.get(address, ()) if first else (),
            )
        )
    return tuple(found)
