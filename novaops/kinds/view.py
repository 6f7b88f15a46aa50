"""Views (`pg_class.relkind` v); the rule `_RETURN` belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds import storage_parameters
from novaops.kinds.kind import Kind, Part, Scene, Step


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
        # Its query may be another one by then.
        return f"SELECT EXISTS (SELECT FROM ({obj['definition']}) AS shown)"

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names), ("type", *obj.address.names)]


def _view(obj: Object) -> str:
    """Everything after CREATE [OR REPLACE]; without WITH, OR REPLACE would reset the options."""
    head = " ".join(filter(None, ["VIEW", obj.identity, storage_parameters.given(obj)]))
    return f"{head} AS\n{obj['definition']}"
