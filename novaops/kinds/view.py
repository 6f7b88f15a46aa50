"""Views (`pg_class.relkind` v); the rule `_RETURN` belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.kinds import storage_parameters
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.query import with_columns
from novaops.kinds.reach import holders

RELATIONS = ("table", "view", "materialized view", "foreign table")


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

    def missing(self, obj: Object) -> str:
        return "queries of it fail, and who was granted access has none"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return [] if new is None else list(self._rights(old, new, "owner" in changed, scene))

    def _rights(self, old: Object, new: Object, owner: bool, scene: Scene) -> Iterator[Risk]:
        """With whose rights it reads (documentation, CREATE VIEW, Notes), and what that changes for those who may use it."""
        rows, used = self.reached(new), holders(old.identity, "true")
        before, after = _on(old, "security_invoker"), _on(new, "security_invoker")
        if before != after or (owner and not after):
            exists = f"{rows} AND {holders(old.identity, _without_rights(old, scene))}"
            if after:
                says = "would be hidden from whoever may not read what it reads"
                yield Risk("access-loss", old.identity, "rows", exists, says=says)
            else:
                says = f"would be shown with the rights of {'its new' if owner else 'its'} owner"
                yield Risk("access-grant", old.identity, "rows", exists, says=says)
        if _on(old, "security_barrier") and not _on(new, "security_barrier"):
            yield Risk("row-security", old.identity, "its security barrier", f"{rows} AND {used}")

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names), ("type", *obj.address.names)]


def _view(obj: Object) -> str:
    """Everything after CREATE [OR REPLACE]; without WITH, OR REPLACE would reset the options."""
    columns, query = with_columns(obj["definition"])
    head = " ".join(filter(None, ["VIEW", obj.identity + columns, storage_parameters.given(obj)]))
    return f"{head} AS\n{query}"


def _on(view: Object, option: str) -> bool:
    """A storage parameter, in one of the words for true (parse_bool(), src/backend/utils/adt/bool.c)."""
    value = storage_parameters.value(view, option)
    return value is not None and value.lower() in ("true", "on", "yes", "1", "t", "y")


def _without_rights(view: Object, scene: Scene) -> str:
    """Condition: role g has less rights than the view on one of the relations that it reads."""
    edges = scene.live.dependencies.get(view.address, ())
    read = {Address(e.referenced.type.removesuffix(" column"), e.referenced.names[:2]) for e in edges}
    relations = [
        o.identity
        for a in sorted(read)
        if (o := scene.live.objects.get(a)) and o.privileges is not None and o.address.type in RELATIONS
    ]
    listed = ", ".join(f"{quote_literal(relation)}::regclass" for relation in relations)
    less = "b.relrowsecurity OR NOT pg_catalog.has_table_privilege(g.grantee, b.oid, 'SELECT')"
    found = f"SELECT FROM pg_catalog.pg_class b WHERE b.oid = ANY (ARRAY[{listed}]::oid[]) AND ({less})"
    return f"coalesce(NOT r.rolsuper, true) AND EXISTS ({found})"
