"""Text search configurations (`pg_ts_config`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds.computed import left_as_computed
from novaops.kinds.kind import Kind, Part, Phase, Risk, Scene, Step


class TextSearchConfiguration(Kind):
    name = "text search configuration"
    types = ("text search configuration",)
    rank = 54
    owned = True

    def keyword(self, obj: Object) -> str:
        return "TEXT SEARCH CONFIGURATION"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        create = Step(f"CREATE {self.target(obj)} (parser = {obj['parser']})")
        return [create, *self._mappings("ADD", obj, obj["mappings"] or {})]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "parser" in changed:
            return None
        before, after = old["mappings"] or {}, new["mappings"] or {}
        gone = [token for token in before if token not in after]
        drop = Step(f"ALTER {self.target(new)} DROP MAPPING FOR {_tokens(gone)}", phase=Phase.RELEASE)
        added = {token: names for token, names in after.items() if token not in before}
        altered = {t: names for t, names in after.items() if t in before and before[t] != names}
        return [
            *([drop] if gone else []),
            *self._mappings("ALTER", new, altered),
            *self._mappings("ADD", new, added),
        ]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return left_as_computed(old, changed, scene)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("text search configuration", *obj.address.names)]

    def _mappings(self, verb: str, obj: Object, mappings: Mapping[str, tuple[str, ...]]) -> list[Step]:
        """One statement for all token types with the same dictionaries."""
        tokens: dict[tuple[str, ...], list[str]] = {}
        for token, dictionaries in mappings.items():
            tokens.setdefault(dictionaries, []).append(token)
        return [
            Step(
                f"ALTER {self.target(obj)} {verb} MAPPING FOR {_tokens(names)} WITH {', '.join(dictionaries)}"
            )
            for dictionaries, names in tokens.items()
        ]


def _tokens(names: Iterable[str]) -> str:
    return ", ".join(map(quote_ident, sorted(names)))
