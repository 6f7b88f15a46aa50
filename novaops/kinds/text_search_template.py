"""Text search templates (`pg_ts_template`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step


class TextSearchTemplate(Kind):
    name = "text search template"
    types = ("text search template",)
    rank = 52

    def keyword(self, obj: Object) -> str:
        return "TEXT SEARCH TEMPLATE"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        init = f"init = {obj['init']}, " if obj["init"] else ""
        return [Step(f"CREATE TEXT SEARCH TEMPLATE {obj.identity} ({init}lexize = {obj['lexize']})")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("text search template", *obj.address.names)]
