"""Indexes (`pg_index`), but for those of constraints, which are part of their constraint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import index_settings, storage_parameters
from novaops.kinds.concurrently import concurrently, working_name
from novaops.kinds.index_settings import attach
from novaops.kinds.index_types import goes_before
from novaops.kinds.inheritance import attached_again, beyond_invalid, detached, lacking, live
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.obstacles import refused_by_index
from novaops.kinds.work import offline


class Index(Kind):
    name = "index"
    types = ("index",)
    named_after = True
    evaluates = True
    rank = 65
    refuses = frozenset({"attach"})
    late = frozenset({"P", "S"})  # an attached index's on its parent: ATTACH PARTITION makes them

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        # On a partitioned table the definition says ON ONLY: the partitions' own are attached.
        text = obj["definition"]
        if parameters := storage_parameters.given(obj):
            text += f" {parameters}"
        if obj["tablespace"]:
            text += f" TABLESPACE {obj['tablespace']}"
        if obj["predicate"]:
            text += f" WHERE {obj['predicate']}"
        plain = obj["_partitioned"] or not scene.online(obj)
        # A partitioned table has no rows of its own.
        locked = scene.shared(obj) and not obj["_partitioned"]
        work = (offline(obj["_relation"], "builds an index over", "SHARE"),) if locked else ()
        made = [Step(text, work=work)] if plain else concurrently(obj, text, scene)
        return [*made, *index_settings.statistics(obj, obj.identity)]

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        attached = [attach(obj, obj.identity)] if obj["parent_index"] else []
        return [*attached, *index_settings.marks(obj)]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        # Only an index that is made anew becomes valid, or a partitioned one by what is attached to it.
        if changed & {"definition", "predicate"} or ("valid" in changed and not new["_partitioned"]):
            return None
        if "options" in changed and new["_partitioned"]:
            return None
        if "parent_index" in changed and old["parent_index"] and not detached(new, scene):
            return None
        again = attached_again(new, scene) if "valid" in changed and new["valid"] else []
        if again is None:
            return None
        steps = index_settings.altered(old, new, changed, new.identity, scene)
        return steps + [attach(part, part.identity) for part in again]

    def refused(self, obj: Object) -> frozenset[str]:
        return self.refuses | index_settings.forgetful(obj)

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if lost.kind == "column":
            return None if scene.drops(lost.address) else frozenset({"statistics"})
        if lost.kind == "table":
            # ATTACH PARTITION of the table would take it for the one that is to be attached.
            taken = scene.drops(lost.address) or _attached_twins(obj, scene.desired)
            return None if taken else frozenset()
        attached = lost.kind == self.name and lost.address.names == obj["_parent_names"]
        return frozenset({"parent_index"}) if attached and detached(obj, scene) else None

    def missing(self, obj: Object) -> str:
        return "duplicates are accepted" if obj["_unique"] else "queries that use it are slow"

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return refused_by_index(new, scene)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names)]

    def likeness(self, obj: Object, snapshot: Snapshot) -> Mapping[str, Any]:
        head, _, rest = obj["definition"].partition(f"INDEX {obj['_quoted']} ")
        return {**obj.attributes, "definition": head + rest}

    def working_names(self, obj: Object, scene: Scene) -> Iterable[tuple[str, ...]]:
        return [("relation", obj.address.names[0], working_name(obj, scene))]

    def needs(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        if twins := _attached_twins(obj, snapshot):
            return twins
        if not obj["replica_identity"] or obj.parent is None:
            return []
        # REPLICA IDENTITY wants columns that are NOT NULL, and holds them to it.
        columns = [c for c in snapshot.children.get(obj.parent, ()) if c.address.names[-1] in obj["_columns"]]
        return [child.address for c in columns for child in snapshot.children.get(c.address, ())]

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        return lacking(obj, snapshot)

    def precedes(self, old: Object, scene: Scene) -> Iterable[Address]:
        return goes_before(old, scene)

    def beyond(self, old: Object, new: Object) -> Mapping[str, str]:
        return beyond_invalid(new)

    def produced(self, obj: Object, scene: Scene) -> bool:
        """An attached index goes with the one it is attached to, and cannot go by itself."""
        parent = obj["_parent_names"]
        if not parent or not live(obj, scene) or detached(obj, scene):
            return False
        return scene.drops(Address("index", tuple(parent)))


def _attached_twins(obj: Object, snapshot: Snapshot) -> list[Address]:
    """Indexes of the table that are attached and that PostgreSQL cannot tell from this one, which is not.

    ATTACH PARTITION attaches the first index that is equal in the eyes of CompareIndexInfo()
    (src/backend/catalog/index.c).
    """
    if obj["parent_index"] or obj.parent is None:
        return []
    others = (o for o in snapshot.children.get(obj.parent, ()) if o.kind == obj.kind and o["parent_index"])
    return [o.address for o in others if o["_compared"] == obj["_compared"]]
