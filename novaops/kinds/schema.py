"""Schemas (`pg_namespace`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step


class Schema(Kind):
    name = "schema"
    types = ("schema",)
    rank = 10
    acl_type = "n"
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE SCHEMA {obj.identity}")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("schema", obj.name)]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return [Risk("data-loss", old.identity, "the schema")] if new is None else []
