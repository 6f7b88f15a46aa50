"""Access methods (`pg_am`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step

TYPES = {"i": "INDEX", "t": "TABLE"}


class AccessMethod(Kind):
    name = "access method"
    types = ("access method",)
    renames = False
    rank = 14
    words = {"type": TYPES}

    def keyword(self, obj: Object) -> str:
        return "ACCESS METHOD"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE {self.target(obj)} TYPE {TYPES[obj['type']]} HANDLER {obj['handler']}")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("access method", obj.name)]
