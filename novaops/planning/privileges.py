"""Which privileges an object is to have, and which it starts with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from novaops.catalog.object import Object
from novaops.catalog.privileges import GRANTS, Grant, Privilege
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.grants import taken_back

Privileges = frozenset[Privilege]


class PrivilegeMode(Enum):
    """How much of the privileges the files decide (the contract's --privileges)."""

    AUTO = "auto"
    MANAGED = "managed"
    ADDITIVE = "additive"
    IGNORE = "ignore"


def wanted(
    old: Object | None,
    new: Object,
    mode: PrivilegeMode,
    ignored: Callable[[str], bool] | None = None,
    owners: bool = True,
) -> Privileges | None:
    """Privileges that `new` is to end with; a rebuilt object gets its `old` ones back in every mode.

    Grantees that are `ignored` keep what they have, and are given nothing. Where `owners` are left as they are,
    what the files grant to the live owner are rights that he has as such.
    """
    if new.privileges is None:
        return None
    declared, held = new.privileges, old.privileges if old else None
    if old is not None and not owners:
        declared = frozenset(p for p in declared if p.grantee != old.owner)
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


def within_reach(old: Object, goal: Privileges) -> Privileges:
    """The goal, with what stays on `old` whatever is wanted: entries whose grantor the session may not act as.

    Along with these stay the options that they rest on, which could be revoked with CASCADE only.
    """
    given: tuple[Grant, ...] = old.facts.get(GRANTS, ())
    lost = [g for g in taken_back(given, goal) if not g.reached]
    resting = {p for g in lost for p in _rests_on(g, given)}
    return _stronger(goal | {g.held for g in lost} | resting) if lost else goal


def _rests_on(grant: Grant, given: Sequence[Grant]) -> Iterator[Privilege]:
    for above in given:
        if (above.grantee, above.privilege, above.grantable) == (grant.grantor, grant.privilege, True):
            yield above.held
            yield from _rests_on(above, given)


def held(obj: Object) -> Privileges | None:
    """What it has, whoever gave it."""
    return _stronger(obj.privileges) if GRANTS in obj.facts and obj.privileges else obj.privileges


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
