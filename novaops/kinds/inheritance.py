"""How children and partitions come by the columns and constraints of their parents; not a kind itself.

The objects have the facts `_local`, `_partition` and `_inherited_from`: whether they were declared
here as well (`pg_attribute.attislocal`, `pg_constraint.conislocal`), whether their table is a
partition, and the names that address what they are inherited from (None: they are not).
"""

from __future__ import annotations

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Scene

PLACE = frozenset({"partition_of", "partition_bound", "detach_pending"})
"""Attributes of a partition that say where it belongs."""


def detach(partition: Object) -> str:
    """The statement; one that DETACH … CONCURRENTLY left off can only be completed."""
    finalize = " FINALIZE" if partition["detach_pending"] else ""
    return f"ALTER TABLE {partition['partition_of']} DETACH PARTITION {partition.identity}{finalize}"


def origin(obj: Object) -> Address | None:
    """What the object is inherited from."""
    names = obj["_inherited_from"]
    if not names:
        return None
    foreign = "foreign " if obj.facts.get("from_foreign") else ""
    return Address(foreign + obj.address.type.removeprefix("foreign "), tuple(names))


def _table_of(source: Address) -> Address:
    """The table of what `origin` found."""
    return Address("foreign table" if source.type.startswith("foreign") else "table", source.names[:2])


def brought(obj: Object, scene: Scene) -> bool:
    """Whether the object comes into being through what it is inherited from.

    A new partition is made as a table of its own and attached when it is complete; INHERITS brings
    what the parent has, and a change of the parent reaches the children that are there.
    """
    source = origin(obj)
    if source is None:
        return False
    own = not obj["_partition"] and obj["_local"]
    if newly_made(obj, scene):
        return not obj["_partition"] and not own
    if own and obj.kind == "column":
        return False
    # A parent that is made anew is joined when it is complete.
    remade = scene.creates(_table_of(source))
    return scene.creates(source) and not remade and is_child(obj, source, scene)


def newly_made(obj: Object, scene: Scene) -> bool:
    """Whether the plan creates the relation that the object is a part of."""
    *_, relation = obj, *scene.desired.ancestors(obj)
    return scene.creates(relation.address)


def is_child(obj: Object, source: Address, scene: Scene) -> bool:
    """Whether the relation is a child of that of `source` already."""
    *_, relation = obj, *scene.desired.ancestors(obj)
    child, parent = (scene.live.objects.get(a) for a in (relation.address, _table_of(source)))
    if child is None or parent is None or child.attributes.get("detach_pending"):
        return False
    return parent.identity in (*child.attributes.get("parents", ()), child.attributes.get("partition_of"))


def taken(obj: Object, scene: Scene) -> bool:
    """Whether the object goes when what it is inherited from goes."""
    source = origin(obj)
    if source is None or not scene.drops(source):
        return False
    return not detached(obj, scene) and not _let_go(obj, source, scene)


def _let_go(obj: Object, source: Address, scene: Scene) -> bool:
    """Whether the plan has NO INHERIT for its table, for good or while the parent is made anew."""
    *_, table = obj, *scene.live.ancestors(obj)
    if obj["_partition"] or scene.drops(table.address):
        return False
    edges = scene.desired.dependencies.get(table.address, ())
    parents = [edge.referenced for edge in edges if edge.referenced.names == source.names[:2]]
    return all(scene.drops(parent) for parent in parents)


def leaves_parent(obj: Object, scene: Scene) -> bool:
    """Whether the plan detaches its table, or has NO INHERIT for it."""
    source = origin(obj)
    return source is not None and (detached(obj, scene) or _let_go(obj, source, scene))


def half_detached(obj: Object, scene: Scene) -> bool:
    """Whether its table is a partition that no statement about the partitioned table reaches any more."""
    *_, table = obj, *scene.live.ancestors(obj)
    before = scene.live.objects.get(table.address)
    return before is not None and bool(before.attributes.get("detach_pending"))


def comes_to_inherit(old: Object, new: Object, scene: Scene) -> bool:
    """Whether the plan has INHERIT for the table of a column, by which this one is inherited from then on."""
    before, after = origin(old), origin(new)
    if after is None:
        return False
    return before is None or before.names[:2] != after.names[:2] or scene.creates(_table_of(after))


def inheriting(column: Object, scene: Scene) -> list[Object]:
    """The same column in the tables that inherit it directly and go on doing so; not in partitions."""
    if column.parent is None:
        return []
    table = scene.live[column.parent].identity
    children = (
        child
        for edge in scene.live.dependents.get(column.parent, ())
        if table in scene.live[edge.dependent].attributes.get("parents", ())
        and not scene.drops(edge.dependent)
        for child in scene.live.children.get(edge.dependent, ())
    )
    return [c for c in children if c.name == column.name and not _let_go(c, column.address, scene)]


def comes_to_be_inherited(table: Object, scene: Scene) -> bool:
    """Whether a column or CHECK comes to be inherited and nothing else: INHERIT leaves it declared here, too."""
    for part in scene.desired.children.get(table.address, ()):
        if part.facts.get("inherited_from") and not part.facts.get("local"):
            before = scene.live.objects.get(part.address)
            if before is None or before.facts.get("local"):
                return True
    return False


def goes_along(column: Object, scene: Scene) -> bool:
    """Whether dropping what it is inherited from leaves it, and what inherits it, as they are to be."""
    if not scene.drops(column.address):
        return bool(column["_local"])
    return not column["_local"] and all(goes_along(c, scene) for c in inheriting(column, scene))


def detached(obj: Object, scene: Scene) -> bool:
    """Whether the plan detaches its table from a partitioned one, and its indexes with it.

    It does so where the partitioned table is made anew and the partition stays, and where that was begun.
    """
    *_, table = obj, *scene.live.ancestors(obj)
    if scene.drops(table.address):
        return False
    remade = any(
        edge.referenced in scene.replaced and edge.referenced.type == "table" and "a" in edge.types
        for edge in scene.live.dependencies.get(table.address, ())
    )
    states = [snapshot.objects.get(table.address) for snapshot in (scene.live, scene.desired)]
    before, after = (t.attributes.get("partition_of") if t else None for t in states)
    return before is not None and (remade or before != after or half_detached(obj, scene))


def lacking(obj: Object, snapshot: Snapshot) -> list[Address]:
    """For an index of a partitioned table that is not valid: the partitions, as some have none like it.

    It comes after they are attached: ATTACH PARTITION would make what is missing.
    """
    if obj["valid"] or not obj["_partitioned"] or obj.parent is None:
        return []
    edges = snapshot.dependents.get(obj.parent, ())
    return [e.dependent for e in edges if snapshot[e.dependent].attributes.get("partition_of")]


def attached_again(index: Object, scene: Scene) -> list[Object] | None:
    """What to attach once more to an index of a partitioned table so that it becomes valid.

    That is only looked at when a partition's index is attached, not when a partition without one goes
    (validatePartitionedIndex() in src/backend/commands/tablecmds.c). Nothing where one is attached
    anyway; None where there is none, as an index without partitions is valid from the start.
    """
    edges = scene.desired.attached.get(index.address, ())
    parts = [scene.desired[edge.dependent] for edge in edges]
    if not parts:
        return None
    held = {edge.dependent for edge in scene.live.attached.get(index.address, ())}
    stay = all(part.address in held and not scene.creates(part.address) for part in parts)
    return parts[:1] if stay else []


def beyond_invalid(new: Object) -> dict[str, str]:
    """For an index that is not valid though nothing is missing: it would become valid when it is made."""
    if new["valid"] or not new["_complete"]:
        return {}
    return {"valid": f"{new.identity} stays valid"}


def live(obj: Object, scene: Scene) -> bool:
    """Whether this is the object as it is, not as it is to be."""
    return scene.live.objects.get(obj.address) is obj


def in_partition_key(column: Object, scene: Scene) -> bool:
    """Whether its table is partitioned by the column: it then depends on the table internally.

    See StorePartitionKey in src/backend/catalog/heap.c.
    """
    edges = scene.live.dependencies.get(column.address, ())
    return any(edge.referenced == column.parent and "i" in edge.types for edge in edges)
