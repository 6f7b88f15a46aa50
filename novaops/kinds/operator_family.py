"""Operator families (`pg_opfamily`) with their loose members, which belong to no operator class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Phase, Scene, Step


class OperatorFamily(Kind):
    name = "operator family"
    types = ("operator family",)
    rank = 37
    owned = True

    def keyword(self, obj: Object) -> str:
        return "OPERATOR FAMILY"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        create = Step(f"CREATE {self.target(obj)}")
        members = [text for slot, text in _members(obj).items()]
        return [create, Step(f"ALTER {self.target(obj)} ADD {', '.join(members)}")] if members else [create]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        before, after = _members(old), _members(new)
        dropped = [slot for slot, text in before.items() if after.get(slot) != text]
        added = [text for slot, text in after.items() if before.get(slot) != text]
        head = f"ALTER {self.target(new)}"
        steps = [Step(f"{head} DROP {', '.join(dropped)}", phase=Phase.RELEASE)] if dropped else []
        return steps + ([Step(f"{head} ADD {', '.join(added)}")] if added else [])

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("operator family", *obj.address.names)]


def _members(obj: Object) -> dict[str, str]:
    """By slot (what DROP names): the text that ADD takes."""
    members = {
        f"OPERATOR {strategy} ({left}, {right})": f"OPERATOR {strategy} {operator}"
        + (f" FOR ORDER BY {family}" if family else "")
        for strategy, left, right, operator, family in obj["operators"]
    }
    members |= {
        f"FUNCTION {number} ({left}, {right})": f"FUNCTION {number} ({left}, {right}) {function}"
        for number, left, right, function in obj["functions"]
    }
    return members
