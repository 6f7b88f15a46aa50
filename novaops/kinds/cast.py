"""Casts (`pg_cast`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step

METHODS = {"f": "WITH FUNCTION", "b": "WITHOUT FUNCTION", "i": "WITH INOUT"}
CONTEXTS = {"e": "explicit", "a": "AS ASSIGNMENT", "i": "AS IMPLICIT"}


class Cast(Kind):
    name = "cast"
    types = ("cast",)
    renames = False
    rank = 35
    words = {"method": METHODS, "context": CONTEXTS}

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        words = ["CREATE", self.target(obj), METHODS[obj["method"]]]
        words += [obj["function"]] if obj["function"] else []
        words += [CONTEXTS[obj["context"]]] if obj["context"] != "e" else []
        return [Step(" ".join(words))]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("cast", *obj.address.names, *obj.address.args)]
