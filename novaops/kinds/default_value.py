"""Defaults of columns (`pg_attrdef`), of tables, foreign tables and views."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.kinds.inheritance import brought, live
from novaops.kinds.kind import Kind, Part, Scene, Step
from novaops.kinds.levels import arriving_default
from novaops.kinds.sequence_takeover import takeover


class DefaultValue(Kind):
    name = "default value"
    types = ("default value",)
    renames = False
    rank = 42
    joined = True
    # ALTER COLUMN TYPE casts the expression, and fails where it finds no cast for it.
    refuses = frozenset({"column type"})

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        default = _alter(obj, f"SET DEFAULT {obj['expression']}")
        taken = takeover(_column(obj, scene), scene)
        if taken is None or taken.moved:
            return [default]
        if taken.from_identity:
            return [*taken.continued(), *taken.forgotten(), default]
        # The lock of the table comes first: whoever inserts has a number by then.
        return [default, *taken.continued()]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        return f"DEFAULT {obj['expression']}"

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return self.create(new, (), scene)

    def missing(self, obj: Object) -> str:
        return "new rows get NULL"

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [_alter(obj, "DROP DEFAULT")]

    def is_setting(self, obj: Object) -> bool:
        return True

    def joins(self, obj: Object, scene: Scene) -> bool:
        column = _column(obj, scene)
        return not (column["_view"] or column["_typed"] or brought(column, scene))

    def produced(self, obj: Object, scene: Scene) -> bool:
        if live(obj, scene):
            return False
        # An inherited column comes with the default of its parent's.
        arriving = arriving_default(_column(obj, scene), scene)
        return arriving is not None and arriving["expression"] == obj["expression"]


def _column(obj: Object, scene: Scene) -> Object:
    return next(scene.desired.ancestors(obj))


def _alter(obj: Object, clause: str) -> Step:
    # Children have defaults of their own, hence ONLY.
    return Step(f"ALTER TABLE ONLY {obj['_relation']} ALTER COLUMN {obj['_column']} {clause}")
