"""Foreign servers (`pg_foreign_server`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.foreign_options import altered, described, given, secrets
from novaops.kinds.kind import Kind, Part, Scene, Step


class Server(Kind):
    name = "server"
    types = ("server",)
    rank = 33
    acl_type = "S"
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        kind = f" TYPE {quote_literal(obj['type'])}" if obj["type"] is not None else ""
        version = f" VERSION {quote_literal(obj['version'])}" if obj["version"] is not None else ""
        wrapper, options = obj["foreign_data_wrapper"], obj["options"]
        return [
            Step(
                f"CREATE {self.target(obj)}{kind}{version} FOREIGN DATA WRAPPER {wrapper}{given(options)}",
                secrets=secrets(options),
            )
        ]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed - {"version", "options"}:
            return None
        wanted = "NULL" if new["version"] is None else quote_literal(new["version"])
        version = f" VERSION {wanted}" if "version" in changed else ""
        options = altered(old["options"], new["options"])
        return [Step(f"ALTER {self.target(new)}{version}{options}", secrets=secrets(new["options"]))]

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return "", f"FOREIGN SERVER {obj.identity}"

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("server", obj.name)]

    def describe(self, old: Object, new: Object, attribute: str) -> str:
        return described(old, new) if attribute == "options" else super().describe(old, new, attribute)
