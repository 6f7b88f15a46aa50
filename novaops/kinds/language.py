"""Procedural languages that no extension brought (`pg_language`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step


class Language(Kind):
    name = "language"
    types = ("language",)
    rank = 14
    acl_type = "l"
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [_create("CREATE", obj)]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return [_create("CREATE OR REPLACE", new)]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("language", obj.name)]


def _create(verb: str, obj: Object) -> Step:
    trusted = " TRUSTED" if obj["trusted"] else ""
    functions = "".join(f" {f.upper()} {obj[f]}" for f in ("handler", "inline", "validator") if obj[f])
    return Step(f"{verb}{trusted} LANGUAGE {obj.identity}{functions}")
