"""Indexes (`pg_index`), but for those of constraints, which are part of their constraint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import storage_parameters
from novaops.kinds.concurrently import concurrently, working_name
from novaops.kinds.inheritance import attached_again, beyond_invalid, detached, lacking, live
from novaops.kinds.kind import Kind, Part, Phase, Risk, Scene, Step
from novaops.kinds.obstacles import repeated
from novaops.kinds.work import Work, rewrite


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
        statistics = sorted((obj["statistics"] or {}).items())
        made = (
            [Step(text)] if obj["_partitioned"] or not scene.online(obj) else concurrently(obj, text, scene)
        )
        return [*made, *(_statistics(obj, column, target) for column, target in statistics)]

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        steps = []
        if obj["parent_index"]:
            steps.append(_attach(obj))
        if obj["clustered"]:
            steps.append(_table(obj, f"CLUSTER ON {obj['_quoted']}"))
        if obj["replica_identity"]:
            steps.append(_table(obj, f"REPLICA IDENTITY USING INDEX {obj['_quoted']}"))
        return steps

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
        steps = [_index(new, clause) for clause in storage_parameters.altered(old, new)]
        if "tablespace" in changed:
            moved = rewrite(new["_relation"], new.identity)
            steps.append(_index(new, f"SET TABLESPACE {new['tablespace'] or 'pg_default'}", moved))
        if "statistics" in changed:
            # All of them: they are lost when the type of a column changes.
            before, after = old["statistics"] or {}, new["statistics"] or {}
            columns = sorted(before.keys() | after.keys())
            steps += [_statistics(new, column, after.get(column, -1)) for column in columns]
        if "parent_index" in changed and new["parent_index"]:
            steps.append(_attach(new))
        if "clustered" in changed:
            steps += cluster(new, scene)
        if "replica_identity" in changed and new["replica_identity"]:
            steps.append(_table(new, f"REPLICA IDENTITY USING INDEX {new['_quoted']}"))
        return steps + [_attach(part) for part in again]

    def refused(self, obj: Object) -> frozenset[str]:
        # PostgreSQL makes it again by itself, but forgets these (ATPostAlterTypeParse,
        # src/backend/commands/tablecmds.c).
        return self.refuses | frozenset({"column type"} if obj["statistics"] else ())

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if lost.kind == "column":
            return None if scene.drops(lost.address) else frozenset({"statistics"})
        if lost.kind == "table":
            # ATTACH PARTITION of the table would take it for the one that is to be attached.
            taken = scene.drops(lost.address) or _attached_twins(obj, scene.desired)
            return None if taken else frozenset()
        attached = lost.kind == self.name and lost.address.names == obj["_parent_names"]
        return frozenset({"parent_index"}) if attached and detached(obj, scene) else None

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return repeated(new, scene)

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


def cluster(obj: Object, scene: Scene) -> list[Step]:
    """Set the cluster mark, or take it away where no other index of the table is to have it."""
    if obj["clustered"]:
        return [_table(obj, f"CLUSTER ON {obj['_quoted']}")]
    others = scene.desired.children.get(obj.parent, ()) if obj.parent else ()
    if any(o.attributes.get("clustered") for o in others):
        return []
    return [_table(obj, "SET WITHOUT CLUSTER")]


def _table(obj: Object, clause: str) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {clause}")


def _index(obj: Object, clause: str, *work: Work) -> Step:
    return Step(f"ALTER INDEX {obj.identity} {clause}", work=work)


def _attach(obj: Object) -> Step:
    # Nothing happens when attaching the table has attached its index already.
    attach = f"ATTACH PARTITION {obj.identity}"
    return Step(f"ALTER INDEX {obj['parent_index']} {attach}", phase=Phase.FINISH)


def _statistics(obj: Object, column: str, target: int) -> Step:
    # ALTER INDEX goes down to what is attached, and has no ONLY.
    return Step(f"ALTER TABLE ONLY {obj.identity} ALTER COLUMN {column} SET STATISTICS {target}")
