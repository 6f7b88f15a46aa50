"""Transforms between a type and a procedural language (`pg_transform`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step


class Transform(Kind):
    name = "transform"
    types = ("transform",)
    renames = False
    rank = 35

    def target(self, obj: Object) -> str:
        return f"TRANSFORM FOR {obj['_type']} LANGUAGE {obj['_language']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [self._create("CREATE", obj)]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return [self._create("CREATE OR REPLACE", new)]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("transform", *obj.address.names, *obj.address.args)]

    def _create(self, verb: str, obj: Object) -> Step:
        functions = [f"FROM SQL WITH FUNCTION {obj['from_sql']}"] if obj["from_sql"] else []
        functions += [f"TO SQL WITH FUNCTION {obj['to_sql']}"] if obj["to_sql"] else []
        return Step(f"{verb} {self.target(obj)} ({', '.join(functions)})")
