"""Which privileges an object is to have, and which it starts with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from novaops.catalog.object import Object
from novaops.catalog.privileges import GRANTS, Grant, Privilege
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.grants import taken_back
from novaops.kinds.privileges_only import PrivilegesOnly
from novaops.planning.baseline import PUBLIC_SCHEMA
from novaops.planning.own_grants import OwnGrants

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
    own: OwnGrants | None = None,
) -> Privileges | None:
    """Privileges that `new` is to end with; a rebuilt object gets its `old` ones back in every mode.

    Grantees that are `ignored` keep what they have, and are given nothing. Where `owners` are left as they are,
    what the files grant to the live owner are rights that he has as such. `own` are left as they are.
    """
    if new.privileges is None:
        return None
    goal = _goal(old, new, mode, ignored, owners)
    held = old.privileges if old else None
    return goal if own is None or held is None else own.kept(new, held, goal)


def _goal(
    old: Object | None,
    new: Object,
    mode: PrivilegeMode,
    ignored: Callable[[str], bool] | None,
    owners: bool,
) -> Privileges:
    declared, held = new.privileges or frozenset(), old.privileges if old else None
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
            return declared if _given_any(new) else held
        case PrivilegeMode.ADDITIVE:
            return _stronger(held | declared)
        case PrivilegeMode.IGNORE:
            return held


def _given_any(new: Object) -> bool:
    """Whether the files give the object privileges, so that it has others than without them."""
    untouched = PUBLIC_SCHEMA if new.address == PUBLIC_SCHEMA.address else None
    return new.privileges != (untouched.privileges if untouched else new.default_privileges)


def wanted_alone(
    kind: PrivilegesOnly,
    old: Object | None,
    new: Object | None,
    mode: PrivilegeMode,
    ignored: Callable[[str], bool] | None,
) -> Privileges:
    """Return the privileges that `wanted()` leads to for an object that holds nothing else; None: it does not exist."""
    present = new or old
    initial = kind.initial(present) if present else frozenset[Privilege]()
    held, declared = (kind.held(obj) if obj else initial for obj in (old, new))
    match mode:
        case PrivilegeMode.MANAGED:
            goal = declared
        case PrivilegeMode.AUTO:
            goal = declared if new else held
        case PrivilegeMode.ADDITIVE:
            goal = _stronger(held | declared)
        case PrivilegeMode.IGNORE:
            goal = held
    if ignored is None:
        return goal
    return frozenset(p for p in goal if not ignored(p.grantee)) | {p for p in held if ignored(p.grantee)}


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
