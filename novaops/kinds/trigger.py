"""Triggers (`pg_trigger`), with the clones that a row trigger of a partitioned table has on partitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.reach import rows_of_container
from novaops.kinds.words import MODE_NAMES, MODES


class Trigger(Kind):
    name = "trigger"
    types = ("trigger",)
    rank = 72
    words = {"enabled": MODE_NAMES}
    refuses = frozenset({"column type", "attribute type"})
    grantable = True

    def target(self, obj: Object) -> str:
        return f"TRIGGER {obj['_name']} ON {obj['_relation']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        if obj["_clone"]:
            return []
        steps = [Step(obj["definition"])]
        if obj["enabled"] != "O":
            steps.append(_mode(obj))
        return steps

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        # A new partition gets its clones when it is attached.
        return [_mode(obj)] if obj["_clone"] and not self.produced(obj, scene) else []

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        steps = []
        if "definition" in changed:
            if old["_constraint"] or new["_constraint"] or old["_clone"] or new["_clone"]:
                return None
            steps.append(Step("CREATE OR REPLACE " + new["definition"].removeprefix("CREATE ")))
        # OR REPLACE sets the mode to origin, and both statements go down to the clones.
        reset = "definition" in changed
        if new["enabled"] != ("O" if reset else old["enabled"]):
            steps.append(_mode(new))
        steps += [_mode(c) for c in _clones(new, scene.desired) if c["enabled"] != new["enabled"]]
        return steps

    def missing(self, obj: Object) -> str:
        return "it does not fire"

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [] if obj["_clone"] else super().drop(obj, scene)

    def refused(self, obj: Object) -> frozenset[str]:
        # A partition that leaves and comes back loses its clones, and gets new ones.
        own = obj["_clone"] and (obj["enabled"] != obj["_cloned_mode"] or obj.comment is not None)
        return self.refuses | frozenset({"attach"} if own else ())

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        return [obj.parent] if obj["_clone"] and obj.parent else []

    def produced(self, obj: Object, scene: Scene) -> bool:
        return bool(obj["_clone"]) and obj["enabled"] == obj["_cloned_mode"]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        if new is None or "enabled" not in changed:
            return []
        return [Risk("behaviour", old.identity, "the trigger mode", exists=rows_of_container(old, scene))]

    def likeness(self, obj: Object, snapshot: Snapshot) -> Mapping[str, Any]:
        head, _, rest = (obj["definition"] or "").partition(f"TRIGGER {obj['_name']} ")
        return {**obj.attributes, "definition": head + rest}


def _mode(obj: Object) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {MODES[obj['enabled']]} TRIGGER {obj['_name']}")


def _clones(obj: Object, snapshot: Snapshot) -> Iterator[Object]:
    """Its clones on partitions, those of upper levels first (`pg_depend.deptype` P)."""
    for edge in snapshot.dependents.get(obj.address, ()):
        clone = snapshot[edge.dependent]
        if clone.kind == obj.kind and "P" in edge.types:
            yield clone
            yield from _clones(clone, snapshot)
