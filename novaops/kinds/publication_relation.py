"""Tables of publications (`pg_publication_rel`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Phase, Risk, Scene, Step
from novaops.kinds.published import left_out, shows_less


class PublicationRelation(Kind):
    name = "publication relation"
    types = ("publication relation",)
    renames = False
    rank = 81
    refuses = frozenset({"column type"})
    joined = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"ALTER PUBLICATION {obj['_publication']} ADD {_table(obj)}")]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        return _table(obj)

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        # SET would need the whole list of the publication's tables. A list of columns does not go with schemas.
        dropped = (
            replace(step, phase=Phase.RELEASE, exposes=self.missing(old)) for step in self.drop(old, scene)
        )
        return [*dropped, *self.create(new, (), scene)]

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [Step(f"ALTER PUBLICATION {obj['_publication']} DROP TABLE ONLY {obj['_relation']}")]

    def missing(self, obj: Object) -> str:
        return "changes of the table are not published"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return left_out(old, scene) if new is None else list(shows_less(old, new, scene))


def _table(obj: Object) -> str:
    """ONLY, because tables that inherit from it are members in their own right."""
    columns = f" ({', '.join(obj['columns'])})" if obj["columns"] is not None else ""
    condition = f" WHERE ({obj['row_filter']})" if obj["row_filter"] is not None else ""
    return f"TABLE ONLY {obj['_relation']}{columns}{condition}"
