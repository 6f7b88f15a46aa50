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

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed != {"multirange_type"} or old["_multirange_schema"] != new["_multirange_schema"]:
            return None
        return _rename_multirange(old, new["_multirange_name"])

    def rename(self, obj: Object, name: str) -> list[Step]:
        """The constructors keep their names when the type is renamed, and are to be called as it is."""
        signatures = (
            f"{obj['subtype']}, {obj['subtype']}",
            f"{obj['subtype']}, {obj['subtype']}, text",
        )
        return [*_rename_constructors(obj.identity, signatures, name), *super().rename(obj, name)]

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        moved = super().aside(obj, scene)[1]
        multirange_name = suffixed(obj["_multirange_name"], ASIDE)
        steps = [*_rename_multirange(obj, multirange_name), *self.rename(obj, moved.name)]
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
        return held(
            "narrowing", old.identity, columns, scene, f"would be read as ranges of {after['subtype']}"
        )


def _rename_multirange(obj: Object, name: str) -> list[Step]:
    multirange = obj["multirange_type"]
    signatures = ("", obj.identity, f"VARIADIC {obj.identity}[]")
    renamed = Step(f"ALTER TYPE {multirange} RENAME TO {quote_ident(name)}")
    return [*_rename_constructors(multirange, signatures, name), renamed]


def _rename_constructors(function: str, signatures: Iterable[str], name: str) -> list[Step]:
    return [Step(f"ALTER FUNCTION {function}({s}) RENAME TO {quote_ident(name)}") for s in signatures]
