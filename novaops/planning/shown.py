"""The changes of a draft as people see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.desired.renamed import Renamed
from novaops.diagnostics import Source
from novaops.kinds.words import in_words
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.draft import Draft
from novaops.planning.nodes import kind_of
from novaops.planning.plan import Hazard, PlannedChange
from novaops.planning.statements import OPERATIONS


def shown_changes(
    made: Draft,
    hazards: Mapping[Address, tuple[Hazard, ...]],
    sources: Mapping[Address, Source],
    origins: Mapping[Address, str],
) -> Iterator[PlannedChange]:
    """The changes that are worth a line, each under the object that contains it."""
    for address, change in sorted(made.changes.items()):
        snapshot = made.scene.live if isinstance(change, Drop) else made.scene.desired
        obj = change.old if isinstance(change, Drop) else change.new
        if address not in hazards and _implied(change, obj, made, snapshot):
            continue
        container = _container(obj, snapshot)
        yield PlannedChange(
            operation=OPERATIONS[type(change)],
            kind=kind_of(obj).name,
            object=obj.identity,
            schema=obj.schema,
            name=obj.name,
            container=container.identity if container else None,
            container_kind=kind_of(container).name if container else None,
            detail=tuple(_detail(change, made)),
            hazards=hazards.get(address, ()),
            source=sources.get(address),
            origin=origins.get(address),
        )


def renamed_changes(renamed: Renamed) -> Iterator[PlannedChange]:
    """The renames, each under the object that contains it, as that is called now."""
    for each in renamed.names:
        obj, new = each.present, each.declared
        container = _container(obj, renamed.snapshot)
        yield PlannedChange(
            operation="rename",
            kind=kind_of(obj).name,
            object=obj.identity,
            schema=obj.schema,
            name=obj.name,
            container=container.identity if container else None,
            container_kind=kind_of(container).name if container else None,
            detail=(" → ".join(each.part) if each.part else f"→ {_new_name(obj, new)}",),
            source=renamed.sources.get(obj.address),
        )


def _new_name(obj: Object, new: Object) -> str:
    """What it will be called where it is, or with the schema that it goes to."""
    if new.parent is not None:
        return quote_ident(new.name)
    if new.schema is None or new.schema != obj.schema:
        return new.identity
    return new.identity.removeprefix(f"{quote_ident(new.schema)}.")


def _container(obj: Object, snapshot: Snapshot) -> Object | None:
    """The outermost object that contains it."""
    *_, outermost = obj, *snapshot.ancestors(obj)
    return None if outermost is obj else outermost


def _implied(change: Change, obj: Object, made: Draft, snapshot: Snapshot) -> bool:
    """Whether the change goes without saying: of something that comes or goes with what is shown."""
    holders = [*snapshot.ancestors(obj)] or [*_belongs_to(obj, snapshot)]
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


def _detail(change: Change, made: Draft) -> Iterator[str]:
    match change:
        case Alter(old, new, changed):
            for name in sorted(changed):
                if old.attributes.get(name) != new.attributes.get(name):
                    yield kind_of(new).describe(old, new, name)
                else:
                    yield f"{name.replace('_', ' ')} set again"
            if change.comment:
                yield "comment"
            if change.labels:
                yield "security labels"
            if change.extensions:
                yield in_words(
                    "depends_on_extension", tuple(sorted(old.extensions)), tuple(sorted(new.extensions)), {}
                )
            if change.owner:
                yield f"owner: {old.owner} → {new.owner}"
            if change.privileges is not None:
                yield "privileges"
        case Replace(old, new, because):
            if because is not None:
                named = made.scene.live.objects.get(because) or made.scene.desired[because]
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
