"""Objects that a plan would drop although novaops never applied them and the files never declared them.

The journal says what the files declared at the last apply and what novaops has created since. Everything else
was made by somebody else, for a reason that the files do not know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Scene
from novaops.kinds.privileges_only import PrivilegesOnly
from novaops.planning import ledgers
from novaops.planning.changes import Change, Drop
from novaops.planning.diff import Comparison, diff, twins
from novaops.planning.hazard_codes import covers
from novaops.planning.hazards import hazard
from novaops.planning.nodes import kind_of
from novaops.planning.origin import LastApplied
from novaops.planning.plan import Hazard
from novaops.planning.scope import Scope

GOES_ALONG = frozenset({"c", "a", "i", "P", "S"})
"""`pg_depend.deptype`s of what DROP takes away without CASCADE (documentation, pg_depend), and of contents."""

NAMED = 5
"""How many kept objects a notice names."""


class UndeclaredMode(Enum):
    """What a plan does about undeclared objects (the setting `undeclared`)."""

    ASK = "ask"
    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of earlier declarations: the last apply, and what novaops has created since."""

    last: LastApplied | None = None
    created: frozenset[tuple[str, str]] = frozenset()
    """Objects as (kind, identity)."""
    prepared: frozenset[Address] = frozenset()
    """Objects that pending pre-migrations create."""
    listed: frozenset[str] = frozenset()
    """Identities of objects whose drop the files declare (`renames.json`)."""

    def knows(self, obj: Object) -> bool:
        """Return whether novaops applied the object, or the files declared it."""
        if self.last is not None and obj.address in (self.last.declared or ()):
            return True
        if obj.address in self.prepared or obj.identity in self.listed:
            return True
        return (obj.kind, obj.identity) in self.created

    @property
    def says(self) -> str:
        """Say why an object that is not known counts as undeclared."""
        if self.last is None or self.last.declared is None:
            return "no record says that novaops created it or that the files declared it"
        place = self.last.place
        return f"novaops did not create it, and the files did not declare it on {place.day} (history {place.history})"


@dataclass(frozen=True, slots=True)
class Undeclared:
    """The undeclared objects of a live database; those that are `kept` are out of reach of the plan's drops."""

    objects: frozenset[Address] = frozenset()
    asked: frozenset[Address] = frozenset()
    kept: frozenset[Address] = frozenset()
    """With all that belongs to them."""
    says: str = ""
    notices: tuple[str, ...] = field(default=())

    def left(self, changes: Mapping[Address, Change], live: Snapshot) -> tuple[str, ...]:
        """Return the identities of those that the changes do not drop."""
        found = (a for a in self.objects | self.kept if a in live)
        stay = (a for a in found if not isinstance(changes.get(a), Drop))
        return tuple(sorted(live[a].identity for a in stay))

    def hazards(
        self, changes: Mapping[Address, Change], live: Snapshot, known: Mapping[Address, Iterable[Hazard]]
    ) -> Iterator[tuple[Address, Hazard]]:
        """Return the hazards of dropping them, by address; `known` are those that the changes have already.

        A part that would lose its values is asked about once, by `data-loss`.
        """
        for address in sorted(self.asked):
            obj = live[address]
            lost = obj.parent is not None and any(h.hazard == "data-loss" for h in known.get(address, ()))
            if isinstance(changes.get(address), Drop) and not lost:
                yield address, hazard("undeclared-drop", obj.identity, self.says)


NONE_UNDECLARED = Undeclared()


def undeclared(
    live: Snapshot,
    desired: Snapshot,
    scope: Scope,
    comparison: Comparison,
    record: Record,
    mode: UndeclaredMode,
    allowed: Collection[str],
) -> Undeclared:
    """Find the undeclared objects that a plan from `live` to `desired` would drop, and decide what becomes of them."""
    scene = Scene(live, desired, desired.version or live.version)
    drops = {a: c.old for a, c in diff(live, desired, scope, comparison).items() if isinstance(c, Drop)}
    renamed = twins(live, desired)
    unknown = {a: o for a, o in drops.items() if a not in renamed and not record.knows(o)}
    alone = [a for a, o in unknown.items() if _dropped_by_itself(o, scene) and not _goes_with(o, drops, live)]
    found = Undeclared(frozenset(unknown), says=record.says)
    match mode:
        case UndeclaredMode.DROP:
            return found
        case UndeclaredMode.KEEP:
            kept = _with_belongings(alone, live)
            return replace(found, kept=kept, notices=tuple(_kept_notice(alone, live)))
        case UndeclaredMode.ASK:
            other = _other_tools(alone, live, allowed)
            kept = _with_belongings(other, live)
            notices = (ledgers.notice(other, kept, live),) if other else ()
            return replace(found, asked=frozenset(alone) - kept, kept=kept, notices=notices)


def _kept_notice(addresses: Collection[Address], live: Snapshot) -> Iterator[str]:
    if addresses:
        names = [live[address].identity for address in sorted(addresses)]
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        objects = "1 undeclared object is" if len(names) == 1 else f"{len(names):,} undeclared objects are"
        yield f"{objects} kept (undeclared = keep): {', '.join(names[:NAMED])}{more}"


def _other_tools(
    addresses: Iterable[Address], live: Snapshot, allowed: Collection[str]
) -> dict[Address, ledgers.Ledger]:
    """Ledgers of other tools whose drop is not approved."""
    known = {a: ledgers.ledger(live[a], live) for a in addresses}
    drop = {a: hazard("undeclared-drop", live[a].identity, "") for a in known}
    return {a: each for a, each in known.items() if each is not None and not covers(allowed, drop[a])}


def _dropped_by_itself(old: Object, scene: Scene) -> bool:
    """Whether a statement drops the object, and it is more than a setting or privileges of another one."""
    kind = kind_of(old)
    if isinstance(kind, PrivilegesOnly) or kind.is_setting(old) or kind.produced(old, scene):
        return False
    return bool(kind.drop(old, scene))


def _goes_with(old: Object, drops: Mapping[Address, Object], live: Snapshot) -> bool:
    """Whether the object goes along with another one that is dropped."""
    if any(container.address in drops for container in live.ancestors(old)):
        return True
    edges = live.dependencies.get(old.address, ())
    return any(edge.types & GOES_ALONG and edge.referenced in drops for edge in edges)


def _with_belongings(addresses: Iterable[Address], live: Snapshot) -> frozenset[Address]:
    """The objects with all that goes along with them when they are dropped."""
    found = set[Address]()
    todo = list(addresses)
    while todo:
        address = todo.pop()
        if address not in found:
            found.add(address)
            edges = live.dependents.get(address, ())
            todo += [e.dependent for e in edges if e.types & GOES_ALONG and e.dependent in live]
            todo += [child.address for child in live.children.get(address, ())]
    return frozenset(found)
