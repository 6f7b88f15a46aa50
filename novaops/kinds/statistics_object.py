"""Extended statistics (`pg_statistic_ext`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step

DEFAULT_TARGET = -1
KINDS = {"d": "ndistinct", "f": "dependencies", "m": "mcv", "e": "expressions"}


class StatisticsObject(Kind):
    name = "statistics object"
    types = ("statistics object",)
    named_after = True
    rank = 65
    words = {"kinds": KINDS, "target": {DEFAULT_TARGET: "default"}}
    owned = True

    def keyword(self, obj: Object) -> str:
        return "STATISTICS"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        steps = [Step(obj["_definition"])]
        if obj["target"] != DEFAULT_TARGET:
            steps.append(_target(obj))
        return steps

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return [_target(new)] if changed == {"target"} else None

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        return None if scene.drops(lost.address) else frozenset({"target"})

    def refused(self, obj: Object) -> frozenset[str]:
        # PostgreSQL makes it again by itself, but forgets the target (ATPostAlterTypeParse,
        # src/backend/commands/tablecmds.c).
        return frozenset({"column type"} if obj["target"] != DEFAULT_TARGET else ())

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("statistics", *obj.address.names)]


def _target(obj: Object) -> Step:
    # SET STATISTICS DEFAULT exists from version 17 on; -1 means the same everywhere.
    return Step(f"ALTER STATISTICS {obj.identity} SET STATISTICS {obj['target']}")
