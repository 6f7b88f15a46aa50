"""Schemas of publications (`pg_publication_namespace`)."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.published import schema_left_out


class PublicationNamespace(Kind):
    name = "publication namespace"
    types = ("publication namespace",)
    renames = False
    rank = 82
    joined = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"ALTER PUBLICATION {obj['_publication']} ADD TABLES IN SCHEMA {obj['_schema']}")]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        return f"TABLES IN SCHEMA {obj['_schema']}"

    def missing(self, obj: Object) -> str:
        return "changes of its tables are not published"

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [Step(f"ALTER PUBLICATION {obj['_publication']} DROP TABLES IN SCHEMA {obj['_schema']}")]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return schema_left_out(old, scene) if new is None else []
