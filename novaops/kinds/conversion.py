"""Conversions between encodings (`pg_conversion`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Kind, Part, Scene, Step


class Conversion(Kind):
    name = "conversion"
    types = ("conversion",)
    rank = 36
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        default = "DEFAULT " if obj["default"] else ""
        source, target = quote_literal(obj["source_encoding"]), quote_literal(obj["target_encoding"])
        return [
            Step(f"CREATE {default}CONVERSION {obj.identity} FOR {source} TO {target} FROM {obj['function']}")
        ]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("conversion", *obj.address.names)]
