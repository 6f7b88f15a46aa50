"""Defaults of columns (`pg_attrdef`), of tables, foreign tables and views."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.inheritance import brought, live, origin
from novaops.kinds.kind import Kind, Part, Scene, Step


class DefaultValue(Kind):
    name = "default value"
    types = ("default value",)
    renames = False
    rank = 42
    joined = True
    # ALTER COLUMN TYPE casts the expression, and fails where it finds no cast for it.
    refuses = frozenset({"column type"})

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [_alter(obj, f"SET DEFAULT {obj['expression']}")]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        return f"DEFAULT {obj['expression']}"

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return self.create(new, (), scene)

    def missing(self, obj: Object) -> str:
        return "new rows get NULL"

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [_alter(obj, "DROP DEFAULT")]

    def joins(self, obj: Object, scene: Scene) -> bool:
        column = _column(obj, scene)
        return not (column["_view"] or column["_typed"] or brought(column, scene))

    def produced(self, obj: Object, scene: Scene) -> bool:
        if live(obj, scene):
            return False
        column = _column(obj, scene)
        source = origin(column)
        if source is None or not scene.creates(column.address) or not brought(column, scene):
            return False
        # An inherited column comes with the default of its parent's.
        inherited = scene.desired.objects.get(Address("default value", source.names))
        return inherited is not None and inherited["expression"] == obj["expression"]


def _column(obj: Object, scene: Scene) -> Object:
    return next(scene.desired.ancestors(obj))


def _alter(obj: Object, clause: str) -> Step:
    # Children have defaults of their own, hence ONLY.
    return Step(f"ALTER TABLE ONLY {obj['_relation']} ALTER COLUMN {obj['_column']} {clause}")
