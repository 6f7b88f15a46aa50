"""User mappings (`pg_user_mapping`): who a role is on a foreign server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.foreign_options import altered, given
from novaops.kinds.kind import Kind, Part, Scene, Step


class UserMapping(Kind):
    name = "user mapping"
    types = ("user mapping",)
    renames = False
    rank = 34
    secret = frozenset({"options"})

    def keyword(self, obj: Object) -> str:
        return "USER MAPPING"

    def target(self, obj: Object) -> str:
        return f"USER MAPPING FOR {obj['_user']} SERVER {obj['_server']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE {self.target(obj)}{given(obj['options'])}", secrets=_values(obj))]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        options = altered(old["options"], new["options"])
        return [Step(f"ALTER {self.target(new)}{options}", secrets=_values(new))]

    def unread(self, obj: Object) -> frozenset[str]:
        return frozenset({"options"}) if obj["_hidden"] else super().unread(obj)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("user mapping", *obj.address.names, *obj.address.args)]


def _values(obj: Object) -> tuple[str, ...]:
    return tuple(quote_literal(value) for value in (obj["options"] or {}).values())
