"""Row-level security policies (`pg_policy`)."""

from __future__ import annotations

from collections.abc import Sequence, Set

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.reach import changed_to, dropped, opened_by

COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


class Policy(Kind):
    name = "policy"
    types = ("policy",)
    rank = 74
    words = {"command": COMMANDS}
    refuses = frozenset({"column type", "attribute type"})

    def target(self, obj: Object) -> str:
        return f"POLICY {obj['_name']} ON {obj['_relation']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        text = f"CREATE {self.target(obj)}"
        if not obj["permissive"]:
            text += " AS RESTRICTIVE"
        if obj["command"] != "*":
            text += f" FOR {COMMANDS[obj['command']]}"
        given = {"using", "with_check"} | ({"roles"} if obj["roles"] != ("PUBLIC",) else set())
        return [Step(text + _clauses(obj, given))]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        removed = any(a in changed and new[a] is None for a in ("using", "with_check"))
        if removed or changed & {"permissive", "command"}:
            return None
        return [Step(f"ALTER {self.target(new)}{_clauses(new, changed)}")]

    def missing(self, obj: Object) -> str:
        return (
            "rows that it lets through are hidden" if obj["permissive"] else "rows that it hides are visible"
        )

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return dropped(old, scene) if new is None else changed_to(old, new, changed, scene)

    def exposes(self, obj: Object) -> str:
        return (
            "rows that it lets through are hidden" if obj["permissive"] else "rows that it hides are visible"
        )

    def opens(self, new: Object, scene: Scene) -> list[Risk]:
        return opened_by(new, scene)


def _clauses(obj: Object, attributes: Set[str]) -> str:
    text = f" TO {', '.join(obj['roles'])}" if "roles" in attributes else ""
    if "using" in attributes and obj["using"] is not None:
        text += f"\n    USING ({obj['using']})"
    if "with_check" in attributes and obj["with_check"] is not None:
        text += f"\n    WITH CHECK ({obj['with_check']})"
    return text
