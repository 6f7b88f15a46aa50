"""Text search parsers (`pg_ts_parser`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step

FUNCTIONS = ("start", "gettoken", "end", "headline", "lextypes")


class TextSearchParser(Kind):
    name = "text search parser"
    types = ("text search parser",)
    rank = 52

    def keyword(self, obj: Object) -> str:
        return "TEXT SEARCH PARSER"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        options = ", ".join(f"{name} = {obj[name]}" for name in FUNCTIONS if obj[name])
        return [Step(f"CREATE TEXT SEARCH PARSER {obj.identity} ({options})")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("text search parser", *obj.address.names)]
