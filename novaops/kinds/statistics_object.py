"""Extended statistics (`pg_statistic_ext`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
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
        if changed != {"target"}:
            return None
        steps = [_target(new)] if {old["target"], new["target"]} != {DEFAULT_TARGET} else []
        if old.owner is not None and old.owner != scene.live.role:
            steps.append(Step(f"ALTER STATISTICS {new.identity} OWNER TO {quote_ident(old.owner)}"))
        return steps

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if scene.drops(lost.address):
            return None
        forgotten = obj["target"] != DEFAULT_TARGET or obj.owner != scene.live.role
        return frozenset({"target"} if forgotten else ())

    def refused(self, obj: Object) -> frozenset[str]:
        # PostgreSQL makes it again by itself, but as whoever does that, and without the target
        # (ATPostAlterTypeParse, src/backend/commands/tablecmds.c).
        return frozenset({"column type"})

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("statistics", *obj.address.names)]


def _target(obj: Object) -> Step:
    # SET STATISTICS DEFAULT exists from version 17 on; -1 means the same everywhere.
    return Step(f"ALTER STATISTICS {obj.identity} SET STATISTICS {obj['target']}")
