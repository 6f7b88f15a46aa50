"""Publications (`pg_publication`); what they publish are objects of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.published import publishes_less

DEFAULTS = {"publish": "insert, update, delete, truncate", "via_root": False, "generated_columns": "none"}
PARAMETERS = {
    "publish": "publish",
    "via_root": "publish_via_partition_root",
    "generated_columns": "publish_generated_columns",
}


class Publication(Kind):
    name = "publication"
    types = ("publication",)
    rank = 80
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        text = f"CREATE PUBLICATION {obj.identity}"
        if obj["all_tables"]:
            text += " FOR ALL TABLES"
        elif parts:
            text += " FOR " + ", ".join(part.sql for part in parts)
        if given := [a for a, default in DEFAULTS.items() if obj[a] != default]:
            text += f"\n    WITH ({_assignments(obj, given)})"
        return [Step(text)]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "all_tables" in changed:
            return None
        given = [a for a in DEFAULTS if a in changed]
        return [Step(f"ALTER PUBLICATION {new.identity} SET ({_assignments(new, given)})")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("publication", obj.name)]

    def missing(self, obj: Object) -> str:
        return "nothing that it publishes is sent"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        if new is None:
            return [Risk("behaviour", old.identity, "replication to its subscribers")]
        return list(publishes_less(old, new, changed))


def _assignments(obj: Object, attributes: Sequence[str]) -> str:
    return ", ".join(f"{PARAMETERS[a]} = {quote_literal(str(obj[a]).lower())}" for a in attributes)
