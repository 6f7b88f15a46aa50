"""Foreign-data wrappers (`pg_foreign_data_wrapper`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.foreign_options import altered, described, given, secrets
from novaops.kinds.kind import Kind, Part, Scene, Step


class ForeignDataWrapper(Kind):
    name = "foreign data wrapper"
    types = ("foreign-data wrapper",)
    rank = 32
    acl_type = "F"
    owned = True

    def keyword(self, obj: Object) -> str:
        return "FOREIGN DATA WRAPPER"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        functions = "".join(f" {f.upper()} {obj[f]}" for f in ("handler", "validator") if obj[f])
        options = obj["options"]
        return [Step(f"CREATE {self.target(obj)}{functions}{given(options)}", secrets=secrets(options))]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        functions = "".join(
            f" {f.upper()} {new[f]}" if new[f] else f" NO {f.upper()}"
            for f in ("handler", "validator")
            if f in changed
        )
        options = altered(old["options"], new["options"])
        return [Step(f"ALTER {self.target(new)}{functions}{options}", secrets=secrets(new["options"]))]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("foreign data wrapper", obj.name)]

    def describe(self, old: Object, new: Object, attribute: str) -> str:
        return described(old, new) if attribute == "options" else super().describe(old, new, attribute)
