"""Schemas of publications (`pg_publication_namespace`)."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Scene, Step


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

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [Step(f"ALTER PUBLICATION {obj['_publication']} DROP TABLES IN SCHEMA {obj['_schema']}")]
