"""Text search dictionaries (`pg_ts_dict`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.computed import left_as_computed
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step


class TextSearchDictionary(Kind):
    name = "text search dictionary"
    types = ("text search dictionary",)
    rank = 53
    owned = True

    def keyword(self, obj: Object) -> str:
        return "TEXT SEARCH DICTIONARY"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        options = f", {obj['options']}" if obj["options"] else ""
        return [Step(f"CREATE {self.target(obj)} (template = {obj['template']}{options})")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "template" in changed:
            return None
        wanted = new["options"] or ""
        kept = _names(wanted)
        # An option without a value is removed.
        options = [name for name in _names(old["options"] or "") if name not in kept]
        return [Step(f"ALTER {self.target(new)} ({', '.join([*options, wanted] if wanted else options)})")]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return left_as_computed(old, changed, scene)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("text search dictionary", *obj.address.names)]


def _names(options: str) -> list[str]:
    """Names of the options in `pg_ts_dict.dictinitoption`: what stands before each ` = ` outside quotes."""
    names, start, quote = [], 0, ""
    for i, character in enumerate(options):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "=":
            names.append(options[start:i].strip())
        elif character == ",":
            start = i + 1
    return names
