"""Compares two snapshots, object by object, without knowing what any object is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import eq
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.kinds.privileges_only import PrivilegesOnly
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.faithful import read_again
from novaops.planning.own_grants import OwnGrants
from novaops.planning.privileges import PrivilegeMode, held, wanted, wanted_alone, within_reach
from novaops.planning.scope import Scope


@dataclass(frozen=True, slots=True)
class Comparison:
    """What counts as a difference: the contract's --privileges and --owners.

    `ignored` and `ignored_default` tell the grantees whose (default) privileges are left alone. Where the
    desired state was `restored` from a dump, its expressions are what PostgreSQL made of its own texts.
    """

    privileges: PrivilegeMode = PrivilegeMode.AUTO
    owners: bool = False
    ignored: Callable[[str], bool] | None = None
    ignored_default: Callable[[str], bool] | None = None
    own: OwnGrants | None = None
    """What other commands of novaops have given and taken."""
    restored: bool = False
    grantors: bool = False
    """Whether what is made gets its privileges from whom it had them, as a copy does; else all are the owner's gift."""


def diff(live: Snapshot, desired: Snapshot, scope: Scope, comparison: Comparison) -> Mapping[Address, Change]:
    """Changes by address that turn `live` into `desired` within `scope`."""
    return {c.address: c for c in _changes(live, desired, scope, comparison)}


def _changes(live: Snapshot, desired: Snapshot, scope: Scope, comparison: Comparison) -> Iterator[Change]:
    alike = {
        address
        for old, new in twins(live, desired).items()
        if compare(live[old], new, comparison) is None
        for address in (old, new.address)
    }
    for address in sorted((live.objects.keys() | desired.objects.keys()) - alike):
        old, new = live.objects.get(address), desired.objects.get(address)
        if (new is None and remnant(old, live)) or (old is None and remnant(new, desired)):
            continue
        if new is not None:
            if scope.excluded(new, desired):
                continue
            change = _from_declared(old, new, comparison)
            if change is not None:
                yield change
        elif old is not None and not scope.excluded(old, live):
            # What lives in no schema is managed with what contains it: a table in a publication.
            declared = old.schema is None and old.parent in desired.objects and old.address not in scope.kept
            if declared or scope.manages(old):
                change = _undeclared(old, comparison)
                if change is not None:
                    yield change


def _from_declared(old: Object | None, new: Object, comparison: Comparison) -> Change | None:
    kind = registry()[new.kind]
    if isinstance(kind, PrivilegesOnly):
        return _privileges_alone(kind, old, new, comparison)
    return Create(new) if old is None else compare(old, new, comparison)


def _undeclared(old: Object, comparison: Comparison) -> Change | None:
    kind = registry()[old.kind]
    return _privileges_alone(kind, old, None, comparison) if isinstance(kind, PrivilegesOnly) else Drop(old)


def _privileges_alone(
    kind: PrivilegesOnly, old: Object | None, new: Object | None, comparison: Comparison
) -> Change | None:
    """The change of an object that holds privileges and nothing else: where it holds none, it does not exist."""
    ignored = comparison.ignored_default if kind.future else comparison.ignored
    goal = wanted_alone(kind, old, new, comparison.privileges, ignored)
    if old is None:
        made = kind.holding(new, goal) if new else None
        return Create(made) if made and goal != kind.initial(made) else None
    if goal == kind.initial(old):
        return Drop(old)
    exactly = replace(comparison, privileges=PrivilegeMode.MANAGED, ignored=None)
    return compare(old, kind.holding(new or old, goal), exactly) if goal != kind.held(old) else None


def remnant(obj: Object | None, snapshot: Snapshot) -> bool:
    """Whether the object is only left of another, so that its being there makes no difference."""
    return obj is not None and registry()[obj.kind].remnant(obj, snapshot)


def twins(live: Snapshot, desired: Snapshot) -> Mapping[Address, Object]:
    """Live objects that are desired under another name, where nobody chose the names."""
    known = dict(_known(desired, live))
    return {old.address: known[key] for key, old in _known(live, desired) if key in known}


def _known(here: Snapshot, there: Snapshot) -> Iterator[tuple[Hashable, Object]]:
    for obj in here:
        if obj.address not in there.objects:
            key = registry()[obj.kind].known_by(obj, here)
            if key is not None:
                yield (obj.kind, key), obj


def compare(old: Object, new: Object, comparison: Comparison) -> Change | None:
    """The change between two states of one object; None when there is none."""
    # A table's trigger is none of a view's, though it bears the same name.
    if old.kind != new.kind or old.parent != new.parent:
        return Replace(old, new)
    kind = registry()[new.kind]
    changed = frozenset[str]()
    if old.attributes != new.attributes:
        names = (old.attributes.keys() | new.attributes.keys()) - kind.unread(old) - kind.unread(new)
        names -= kind.beyond(old, new).keys()
        same = _same_text if comparison.restored and not kind.opaque(new) else eq
        changed = frozenset(n for n in names if not same(old.attributes.get(n), new.attributes.get(n)))
    change = Alter(
        old,
        new,
        changed=changed,
        comment=old.comment != new.comment,
        labels=old.labels != new.labels,
        extensions=old.extensions != new.extensions,
        owner=comparison.owners and old.owner != new.owner,
        privileges=_privileges(old, new, comparison),
    )
    return change if change != Alter(old, new) else None


def _same_text(old: Any, new: Any) -> bool:
    """Whether two values are equal, or texts that PostgreSQL makes of each other by reading them."""
    if old == new:
        return True
    return isinstance(old, str) and isinstance(new, str) and read_again(old) == read_again(new)


def _privileges(old: Object, new: Object, comparison: Comparison) -> frozenset[Privilege] | None:
    goal = wanted(old, new, comparison.privileges, comparison.ignored, comparison.owners, comparison.own)
    if goal is not None:
        goal = within_reach(old, goal)
    return None if goal == held(old) else goal
