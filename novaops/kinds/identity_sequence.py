"""Sequences of identity columns (`pg_depend.deptype` i): what is said and granted on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Kind, Part, Scene, Step


class IdentitySequence(Kind):
    """The column makes, changes and drops it, and holds all that is compared besides comment and privileges."""

    name = "identity sequence"
    types = ("sequence",)
    rank = 42
    acl_type = "s"
    joined = True
    renames = False

    def target(self, obj: Object) -> str:
        return f"SEQUENCE {obj['_sequence']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return []

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return []

    def formerly(self, obj: Object, scene: Scene) -> Object | None:
        if obj.parent is None or scene.creates(obj.parent):
            return None
        found = (o for o in scene.live.children.get(obj.parent, ()) if o.kind == self.name)
        return next((o for o in found if o.address != obj.address), None)

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        return [obj.parent] if obj.parent else []

    def produced(self, obj: Object, scene: Scene) -> bool:
        return True
