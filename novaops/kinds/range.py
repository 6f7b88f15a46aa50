"""Range types with their multirange types (`pg_range`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_qualified, suffixed
from novaops.kinds.kind import ASIDE, Part, Risk, Scene, Step
from novaops.kinds.type import Type, held, stored_in

OPTIONS = ("subtype", "subtype_opclass", "collation", "canonical", "subtype_diff")


class Range(Type):
    name = "range"
    swap = True

    def stub(self, obj: Object) -> list[Step] | None:
        return [Step(f"CREATE TYPE {obj.identity}")] if obj["canonical"] else None

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        options = [f"{option} = {obj[option]}" for option in OPTIONS if obj[option]]
        options.append(f"multirange_type_name = {obj['multirange_type']}")
        body = ",\n".join(f"    {option}" for option in options)
        return [Step(f"CREATE TYPE {obj.identity} AS RANGE (\n{body}\n)")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [*super().names(obj), ("type", obj["_multirange_schema"], obj["_multirange_name"])]

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        """The constructors keep their names when the types are renamed, and would be in the way."""
        renames, moved = super().aside(obj, scene)
        multirange = obj["multirange_type"]
        multirange_name = suffixed(obj["_multirange_name"], ASIDE)
        by_type = {
            quote_qualified(obj.schema or "", obj.name): (
                quote_ident(moved.name),
                [f"{obj['subtype']}, {obj['subtype']}", f"{obj['subtype']}, {obj['subtype']}, text"],
            ),
            multirange: (quote_ident(multirange_name), ["", obj.identity, f"VARIADIC {obj.identity}[]"]),
        }
        steps = [
            Step(f"ALTER FUNCTION {function}({arguments}) RENAME TO {name}")
            for function, (name, signatures) in by_type.items()
            for arguments in signatures
        ]
        steps += [Step(f"ALTER TYPE {multirange} RENAME TO {quote_ident(multirange_name)}"), *renames]
        attributes = {
            **obj.attributes,
            "multirange_type": quote_qualified(obj["_multirange_schema"], multirange_name),
        }
        facts = {**obj.facts, "multirange_name": multirange_name}
        return steps, replace(moved, attributes=attributes, facts=facts)

    def value_risks(self, old: Object, after: Object, scene: Scene) -> list[Risk]:
        if after["subtype"] == old["subtype"]:
            return []
        columns = ((c, f"{quote_ident(c.address.names[-1])} IS NOT NULL") for c in stored_in(old, scene))
        return held("narrowing", old.identity, columns, scene)
