"""Which privileges an object is to have, and which it starts with."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.catalog.snapshot import Snapshot

Privileges = frozenset[Privilege]


class PrivilegeMode(Enum):
    """How much of the privileges the files decide (the contract's --privileges)."""

    AUTO = "auto"
    MANAGED = "managed"
    ADDITIVE = "additive"
    IGNORE = "ignore"


def wanted(
    old: Object | None, new: Object, mode: PrivilegeMode, ignored: Callable[[str], bool] | None = None
) -> Privileges | None:
    """Privileges that `new` is to end with; a rebuilt object gets its `old` ones back in every mode.

    Grantees that are `ignored` keep what they have, and are given nothing.
    """
    if new.privileges is None:
        return None
    declared, held = new.privileges, old.privileges if old else None
    if ignored is not None:
        kept = frozenset(p for p in held or () if ignored(p.grantee))
        declared = frozenset(p for p in declared if not ignored(p.grantee)) | kept
    if held is None:
        return declared
    match mode:
        case PrivilegeMode.MANAGED:
            return declared
        case PrivilegeMode.AUTO:
            return declared if new.privileges != new.default_privileges else held
        case PrivilegeMode.ADDITIVE:
            return _stronger(held | declared)
        case PrivilegeMode.IGNORE:
            return held


DEFAULTED = {"r": "r", "s": "S", "f": "f", "T": "T", "n": "n"}
"""`pg_default_acl.defaclobjtype` by the first argument of acldefault(), where S is a foreign server; others have none."""


def initial(obj: Object, acl_type: str, live: Snapshot, role: str) -> Privileges:
    """Privileges that an object of `Kind.acl_type` starts with when `role` creates it.

    A global entry of `pg_default_acl` stands in for the built-in default, one for the schema is
    added to it (documentation, ALTER DEFAULT PRIVILEGES).
    """
    built_in = obj.default_privileges or frozenset()
    letter = DEFAULTED.get(acl_type)
    if letter is None:
        return _stronger(built_in)
    start = live.default_acl.get((role, "", letter), built_in)
    if obj.schema is not None and obj.address.type != "schema":
        start |= live.default_acl.get((role, obj.schema, letter), frozenset())
    return _stronger(start)


def _stronger(privileges: Privileges) -> Privileges:
    """Without the entries that the same privilege WITH GRANT OPTION covers."""
    return frozenset(
        p for p in privileges if p.grantable or Privilege(p.grantee, p.privilege, True) not in privileges
    )
