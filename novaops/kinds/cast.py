"""Casts (`pg_cast`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step

CONTEXTS = {"e": "", "a": " AS ASSIGNMENT", "i": " AS IMPLICIT"}


class Cast(Kind):
    name = "cast"
    types = ("cast",)
    renames = False
    rank = 35

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        methods = {"f": f"WITH FUNCTION {obj['function']}", "b": "WITHOUT FUNCTION", "i": "WITH INOUT"}
        return [Step(f"CREATE {self.target(obj)} {methods[obj['method']]}{CONTEXTS[obj['context']]}")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("cast", *obj.address.names, *obj.address.args)]
