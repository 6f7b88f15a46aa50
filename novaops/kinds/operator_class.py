"""Operator classes (`pg_opclass`) with the operators and functions that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_qualified
from novaops.kinds.kind import Kind, Part, Scene, Step


class OperatorClass(Kind):
    name = "operator class"
    types = ("operator class",)
    rank = 38
    owned = True

    def keyword(self, obj: Object) -> str:
        return "OPERATOR CLASS"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        access_method, *name = obj.address.names
        default = " DEFAULT" if obj["default"] else ""
        items = [
            f"OPERATOR {strategy} {operator}" + (f" FOR ORDER BY {family}" if family else "")
            for strategy, operator, family in obj["operators"]
        ]
        items += [
            f"FUNCTION {number} ({left}, {right}) {function}"
            for number, left, right, function in obj["functions"]
        ]
        # The grammar wants an item; STORAGE of the input type is what no STORAGE means.
        items += [f"STORAGE {obj['storage'] or obj['type']}"] if obj["storage"] or not items else []
        body = ",\n".join(f"    {item}" for item in items)
        return [
            Step(
                f"CREATE OPERATOR CLASS {quote_qualified(*name)}{default}\n    FOR TYPE {obj['type']}"
                f" USING {quote_ident(access_method)} FAMILY {obj['family']} AS\n{body}"
            )
        ]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("operator class", *obj.address.names)]
