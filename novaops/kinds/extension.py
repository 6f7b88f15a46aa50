"""Extensions (`pg_extension`); their members are nobody's business but theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step


class Extension(Kind):
    name = "extension"
    types = ("extension",)
    renames = False
    rank = 12
    data = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE EXTENSION IF NOT EXISTS {obj.identity} WITH SCHEMA {obj['schema']}")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if not old["_relocatable"]:
            return None
        return [Step(f"ALTER EXTENSION {new.identity} SET SCHEMA {new['schema']}")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("extension", obj.name)]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return (
            [Risk("data-loss", old.identity, "the extension and what is of its types")] if new is None else []
        )
