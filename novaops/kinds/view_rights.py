"""With whose rights a view, or a materialized view in its place, shows rows; not a kind itself.

See CREATE VIEW, Notes, and section 5.9 of the documentation: a view reads with the rights of its owner, or of the caller
(`security_invoker`), row security included. A materialized view shows everybody what its owner has read.
"""

from __future__ import annotations

from collections.abc import Iterator

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds import storage_parameters
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.reach import holders

RELATIONS = ("table", "view", "materialized view", "foreign table")


def rights_changed(old: Object, new: Object, owner: bool, scene: Scene) -> Iterator[Risk]:
    """What changes for those who may use `old` and will find `new` by its name; `owner`: it gets another one."""
    rows, used = shows_rows(new), holders(old.identity, "true")
    before, after = _as_caller(old), _as_caller(new)
    if before != after or (owner and not after):
        exists = f"{rows} AND {holders(old.identity, _without_rights(old, scene))}"
        if after:
            says = "would be hidden from whoever may not read what it reads"
            yield Risk("access-loss", old.identity, "rows", exists, says=says)
        else:
            says = f"would be shown with the rights of {'its new' if owner else 'its'} owner"
            yield Risk("access-grant", old.identity, "rows", exists, says=says)
    if old.kind == new.kind and _on(old, "security_barrier") and not _on(new, "security_barrier"):
        yield Risk("row-security", old.identity, "its security barrier", f"{rows} AND {used}")
    if old.kind != new.kind and old.kind == "view" and not before:
        # A policy may look at the session: it is asked once, when the rows are read.
        says = "would be shown to everybody as row security shows them to its owner when it is filled"
        exists = f"{rows} AND {used} AND {_owner_bound(old, scene)}"
        yield Risk("row-security", old.identity, "rows", exists, says=says)


def shows_rows(view: Object) -> str:
    """Query that tells whether the view shows a row; its query may be another one by then."""
    return f"SELECT EXISTS (SELECT FROM ({view['definition'].rstrip(';')}) AS shown)"


def _as_caller(view: Object) -> bool:
    return view.kind == "view" and _on(view, "security_invoker")


def _on(view: Object, option: str) -> bool:
    """A storage parameter, in one of the words for true (parse_bool(), src/backend/utils/adt/bool.c)."""
    value = storage_parameters.value(view, option)
    return value is not None and value.lower() in ("true", "on", "yes", "1", "t", "y")


def _read(view: Object, scene: Scene) -> list[str]:
    """The relations that the view reads, quoted as literals; through views that read as the caller, too."""
    found, todo = dict[Address, str](), [view]
    while todo:
        for edge in scene.live.dependencies.get(todo.pop().address, ()):
            address = Address(edge.referenced.type.removesuffix(" column"), edge.referenced.names[:2])
            read = scene.live.objects.get(address)
            if read is None or address in found or address.type not in RELATIONS or read.privileges is None:
                continue
            found[address] = f"{quote_literal(read.identity)}::regclass"
            if _as_caller(read):
                todo.append(read)
    return [found[address] for address in sorted(found)]


def _without_rights(view: Object, scene: Scene) -> str:
    """Condition: role g has less rights than the view on one of the relations that it reads."""
    less = "b.relrowsecurity OR NOT pg_catalog.has_table_privilege(g.grantee, b.oid, 'SELECT')"
    return f"coalesce(NOT r.rolsuper, true) AND {_any_read(view, scene, less)}"


def _owner_bound(view: Object, scene: Scene) -> str:
    """Condition: row security holds for the owner of the view on one of the relations that it reads."""
    owner = quote_literal(view.owner or "")
    free = f"SELECT FROM pg_catalog.pg_roles o WHERE o.rolname = {owner} AND (o.rolsuper OR o.rolbypassrls)"
    own = f"NOT b.relforcerowsecurity AND pg_catalog.pg_has_role({owner}, b.relowner, 'USAGE')"
    return _any_read(view, scene, f"b.relrowsecurity AND NOT EXISTS ({free}) AND NOT ({own})")


def _any_read(view: Object, scene: Scene, condition: str) -> str:
    listed = ", ".join(_read(view, scene))
    found = f"SELECT FROM pg_catalog.pg_class b WHERE b.oid = ANY (ARRAY[{listed}]::oid[]) AND ({condition})"
    return f"EXISTS ({found})"
