"""Rewrite rules (`pg_rewrite`), but for the `_RETURN` rules that make relations views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.reach import rows_of_container
from novaops.kinds.words import MODE_NAMES, MODES


class Rule(Kind):
    name = "rule"
    types = ("rule",)
    rank = 70
    words = {"enabled": MODE_NAMES}
    refuses = frozenset({"column type", "attribute type"})

    def target(self, obj: Object) -> str:
        return f"RULE {obj['_name']} ON {obj['_relation']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        steps = [Step(obj["definition"])]
        if obj["enabled"] != "O":
            steps.append(_mode(obj))
        return steps

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        steps = []
        if "definition" in changed:
            # Replacing a rule leaves its mode alone (InsertRule, src/backend/rewrite/rewriteDefine.c).
            steps.append(Step("CREATE OR REPLACE " + new["definition"].removeprefix("CREATE ")))
        if "enabled" in changed:
            steps.append(_mode(new))
        return steps

    def missing(self, obj: Object) -> str:
        return "it does not act"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        if new is None or "enabled" not in changed:
            return []
        return [Risk("behaviour", old.identity, "the rule mode", exists=rows_of_container(old, scene))]

    def likeness(self, obj: Object, snapshot: Snapshot) -> Mapping[str, Any]:
        head, _, rest = (obj["definition"] or "").partition(f"RULE {obj['_name']} ")
        return {**obj.attributes, "definition": head + rest}


def _mode(obj: Object) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {MODES[obj['enabled']]} RULE {obj['_name']}")
