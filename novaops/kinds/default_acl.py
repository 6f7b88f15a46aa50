"""Default privileges (`pg_default_acl`): what ALTER DEFAULT PRIVILEGES keeps for objects to come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from novaops.catalog.object import Object
from novaops.catalog.privileges import PUBLIC, Privilege, acl_items, parse_acl
from novaops.db.identifiers import quote_ident
from novaops.kinds.kind import Part, Scene, Step
from novaops.kinds.privileges_only import PrivilegesOnly

OBJECTS = {
    "r": "TABLES",
    "S": "SEQUENCES",
    "f": "FUNCTIONS",
    "T": "TYPES",
    "n": "SCHEMAS",
    "L": "LARGE OBJECTS",
}


class DefaultAcl(PrivilegesOnly):
    name = "default acl"
    types = ("default acl",)
    belongs = False  # it is a role's
    renames = False
    future = True
    rank = 90  # after everything that would otherwise be created under them

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return _transition(obj, obj["_baseline"], obj["privileges"])

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return _transition(new, old["privileges"], new["privileges"])

    def missing(self, obj: Object) -> str:
        return "new objects come without these privileges"

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return _transition(obj, obj["privileges"], obj["_baseline"])

    def held(self, obj: Object) -> frozenset[Privilege]:
        return parse_acl(obj["privileges"])

    def initial(self, obj: Object) -> frozenset[Privilege]:
        return parse_acl(obj["_baseline"])

    def holding(self, obj: Object, privileges: frozenset[Privilege]) -> Object:
        items = acl_items(privileges, obj["_role"])
        return replace(obj, attributes={**obj.attributes, "privileges": items})

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("default acl", *obj.address.names, *obj.address.args)]


def _transition(obj: Object, old: Iterable[str], new: Iterable[str]) -> list[Step]:
    before, after = parse_acl(tuple(old)), parse_acl(tuple(new))
    held = {(p.grantee, p.privilege) for p in before}
    wanted = {(p.grantee, p.privilege) for p in after}
    revoked = {p for p in before if (p.grantee, p.privilege) not in wanted}
    lowered = {p for p in before if Privilege(p.grantee, p.privilege) in after and p.grantable}
    granted = {p for p in after - before if p.grantable or (p.grantee, p.privilege) not in held}
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {obj['_role']}"
    head += f" IN SCHEMA {obj['_schema']}" if obj["_schema"] else ""
    objects = OBJECTS[obj["_objtype"]]
    clauses = [f"REVOKE {names} ON {objects} FROM {role}" for role, names, _ in _grouped(revoked)]
    clauses += [
        f"REVOKE GRANT OPTION FOR {names} ON {objects} FROM {role}" for role, names, _ in _grouped(lowered)
    ]
    clauses += [
        f"GRANT {names} ON {objects} TO {role}{' WITH GRANT OPTION' if grantable else ''}"
        for role, names, grantable in _grouped(granted)
    ]
    return [Step(f"{head} {clause}") for clause in clauses]


def _grouped(privileges: Iterable[Privilege]) -> Iterator[tuple[str, str, bool]]:
    """Role, comma-separated privileges, grantable."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for p in sorted(privileges):
        groups.setdefault((p.grantee, p.grantable), []).append(p.privilege)
    for (grantee, grantable), names in groups.items():
        yield "PUBLIC" if grantee == PUBLIC else quote_ident(grantee), ", ".join(names), grantable
