"""Views (`pg_class.relkind` v); the rule `_RETURN` belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds import storage_parameters
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.query import with_columns
from novaops.kinds.view_rights import rights_changed, shows_rows


class View(Kind):
    name = "view"
    types = ("view",)
    rank = 50
    locks = 4  # itself, its row and array type, its rule
    acl_type = "r"
    owned = True
    refuses = frozenset({"column type", "attribute type"})

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        replace = "OR REPLACE " if obj.address in scene.stubbed else ""
        return [Step(f"CREATE {replace}{_view(obj)}")]

    def stub(self, obj: Object) -> list[Step] | None:
        """A view of its columns alone, over nothing, as pg_dump writes it (createDummyViewAsClause)."""
        columns = ",\n".join(
            f"    NULL::{type}{f' COLLATE {collation}' if collation else ''} AS {quote_ident(name)}"
            for name, type, collation in obj["columns"]
        )
        return [Step(f"CREATE OR REPLACE VIEW {obj.identity} AS\nSELECT\n{columns}")]

    def hollow(self, obj: Object) -> list[Step] | None:
        return self.stub(obj)

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed & {"definition", "columns"}:
            # CREATE OR REPLACE VIEW keeps the columns it finds and adds others after them only.
            if new["columns"][: len(old["columns"])] != old["columns"]:
                return None
            return [Step(f"CREATE OR REPLACE {_view(new)}")]
        return [
            Step(f"ALTER VIEW {new.identity} {clause}") for clause in storage_parameters.altered(old, new)
        ]

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return "", f"TABLE {obj.identity}"

    def reached(self, obj: Object) -> str | None:
        return shows_rows(obj)

    def missing(self, obj: Object) -> str:
        return "queries of it fail, and who was granted access has none"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return [] if new is None else list(rights_changed(old, new, "owner" in changed, scene))

    def instead(self, old: Object, new: Object, scene: Scene) -> list[Risk]:
        return list(rights_changed(old, new, False, scene)) if old.kind == "materialized view" else []

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names), ("type", *obj.address.names)]


def _view(obj: Object) -> str:
    """Everything after CREATE [OR REPLACE]; without WITH, OR REPLACE would reset the options."""
    columns, query = with_columns(obj["definition"])
    head = " ".join(filter(None, ["VIEW", obj.identity + columns, storage_parameters.given(obj)]))
    return f"{head} AS\n{query}"
