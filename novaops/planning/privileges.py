"""Which privileges an object is to have, and the GRANT and REVOKE that lead there."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from itertools import groupby

from novaops.catalog.object import Object
from novaops.catalog.privileges import OWNER, PUBLIC, Privilege
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.kinds.kind import Kind

Privileges = frozenset[Privilege]


class PrivilegeMode(Enum):
    """How much of the privileges the files decide (the contract's --privileges)."""

    AUTO = "auto"
    MANAGED = "managed"
    ADDITIVE = "additive"
    IGNORE = "ignore"


def wanted(old: Object | None, new: Object, mode: PrivilegeMode) -> Privileges | None:
    """Privileges that `new` is to end with; a rebuilt object gets its `old` ones back in every mode."""
    if new.privileges is None:
        return None
    if old is None or old.privileges is None:
        return new.privileges
    match mode:
        case PrivilegeMode.MANAGED:
            return new.privileges
        case PrivilegeMode.AUTO:
            return new.privileges if new.privileges != new.default_privileges else old.privileges
        case PrivilegeMode.ADDITIVE:
            return _stronger(old.privileges | new.privileges)
        case PrivilegeMode.IGNORE:
            return old.privileges


def initial(obj: Object, letter: str, live: Snapshot, role: str) -> Privileges:
    """Privileges that an object created by `role` starts with.

    A global entry of `pg_default_acl` stands in for the built-in default, one for the schema is
    added to it (documentation, ALTER DEFAULT PRIVILEGES).
    """
    start = live.default_acl.get((role, "", letter), obj.default_privileges or frozenset())
    if obj.schema is not None and obj.address.type != "schema":
        start |= live.default_acl.get((role, obj.schema, letter), frozenset())
    return _stronger(start)


def _stronger(privileges: Privileges) -> Privileges:
    """Without the entries that the same privilege WITH GRANT OPTION covers."""
    return frozenset(
        p for p in privileges if p.grantable or Privilege(p.grantee, p.privilege, True) not in privileges
    )


def statements(kind: Kind, obj: Object, before: Privileges, after: Privileges, owner: str) -> list[str]:
    """REVOKE and GRANT statements from `before` to `after`; `owner` is the role that OWNER stands for."""
    suffix, target = kind.grant_target(obj)
    kept = {(p.grantee, p.privilege) for p in after}
    options = {(p.grantee, p.privilege) for p in after if p.grantable}
    revoked = [p for p in before if (p.grantee, p.privilege) not in kept]
    narrowed = [
        p for p in before if p.grantable and p not in revoked and (p.grantee, p.privilege) not in options
    ]
    narrowed_keys = {(p.grantee, p.privilege) for p in narrowed}
    granted = [
        p
        for p in after
        if p not in before and not (not p.grantable and (p.grantee, p.privilege) in narrowed_keys)
    ]
    found = []
    for grantee, _, names in _by_grantee(revoked):
        found.append(f"REVOKE {_list(names, suffix)} ON {target} FROM {_role(grantee, owner)}")
    for grantee, _, names in _by_grantee(narrowed):
        found.append(
            f"REVOKE GRANT OPTION FOR {_list(names, suffix)} ON {target} FROM {_role(grantee, owner)}"
        )
    for grantee, grantable, names in _by_grantee(granted):
        option = " WITH GRANT OPTION" if grantable else ""
        found.append(f"GRANT {_list(names, suffix)} ON {target} TO {_role(grantee, owner)}{option}")
    return found


def _by_grantee(privileges: Iterable[Privilege]) -> list[tuple[str, bool, list[str]]]:
    def key(p: Privilege) -> tuple[str, bool]:
        return p.grantee, p.grantable

    return [
        (grantee, grantable, [p.privilege for p in group])
        for (grantee, grantable), group in groupby(
            sorted(privileges, key=lambda p: (*key(p), p.privilege)), key
        )
    ]


def _list(names: list[str], suffix: str) -> str:
    return ", ".join(name + suffix for name in names)


def _role(grantee: str, owner: str) -> str:
    if grantee == PUBLIC:
        return "PUBLIC"
    return quote_ident(owner if grantee == OWNER else grantee)
