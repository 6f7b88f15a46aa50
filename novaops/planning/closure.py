"""What else must change because PostgreSQL would refuse a change while it exists."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Edge
from novaops.db.identifiers import quote_qualified
from novaops.kinds.kind import Scene
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import remnant, twins
from novaops.planning.nodes import kind_of


@dataclass(slots=True)
class Closure:
    """Changes closed under what they force, and the unmanaged objects that stand in their way.

    `broken` maps an object that is not ours to touch to the change that would break it.
    """

    changes: dict[Address, Change]
    broken: dict[Address, Address] = field(default_factory=dict)


def close(changes: Mapping[Address, Change], scene: Scene, consent: frozenset[Address]) -> Closure:
    """Add rebuilds until every remaining dependant outlives every change.

    `consent` are unmanaged dependants that may be rebuilt as they were.
    """
    lost = {a for a, c in changes.items() if isinstance(c, Drop | Replace)}
    work = _Work(
        Closure(dict(changes)), replace(scene, replaced=lost), lost, consent, twins(scene.live, scene.desired)
    )
    work.run()
    return work.closure


@dataclass(slots=True)
class _Work:
    closure: Closure
    scene: Scene
    lost: set[Address]
    """What the plan drops as far as is known; the scene's `replaced`."""
    consent: frozenset[Address]
    twins: Mapping[Address, Object]
    """Live objects that are desired under another name."""
    queue: deque[Address] = field(default_factory=deque)

    def run(self) -> None:
        known = -1
        while known < len(self.lost):
            # Whether something can be altered may hang on what is lost.
            known = len(self.lost)
            self.queue.extend(self.closure.changes)
            self._drain()

    def _drain(self) -> None:
        while self.queue:
            change = self.closure.changes[self.queue.popleft()]
            if isinstance(change, Create | Replace):
                for address in kind_of(change.new).remakes(change.new, self.scene):
                    self._rebuild(self.scene.live[address], change.address)
            match change:
                case Create():
                    pass
                case Drop(old) | Replace(old):
                    for edge in self.scene.live.dependents.get(old.address, ()):
                        self._outlive(edge, old, change)
                    self._whole(old)
                case Alter():
                    self._alter(change)

    def _alter(self, change: Alter) -> None:
        if not change.changed:
            return
        steps = kind_of(change.new).alter(change.old, change.new, change.changed, self.scene)
        if steps is None:
            self._set(Replace(change.old, change.new))
            return
        effects = frozenset[str]().union(*(s.effects for s in steps))
        effects |= kind_of(change.new).undergoes(change.old, change.new, change.changed, self.scene)
        if not effects:
            return
        for edge in self.scene.live.dependents.get(change.address, ()):
            dependent = self.scene.live[edge.dependent]
            if kind_of(dependent).refused(dependent) & effects:
                self._keep(dependent, change.old)

    def _outlive(self, edge: Edge, lost: Object, change: Drop | Replace) -> None:
        """See to a dependant of an object that goes, for good or to come back."""
        dependent = self.scene.live[edge.dependent]
        mine = self.closure.changes.get(edge.dependent)
        if isinstance(mine, Drop | Replace):
            return
        if (
            edge.dependent in self.scene.desired
            and isinstance(mine, Alter)
            and not self._still_needs(edge, change)
            and not self._needs_successor(edge.dependent, lost)
            and _lets_go_of(mine, lost)
        ):
            return
        self._keep(dependent, lost)

    def _keep(self, dependent: Object, lost: Object) -> None:
        """Have it set again what `lost` takes from it, or rebuild it."""
        mine = self.closure.changes.get(dependent.address)
        if isinstance(mine, Drop | Replace):
            return
        new = self.scene.desired.objects.get(dependent.address)
        again = None if new is None else kind_of(dependent).survives(dependent, lost, self.scene)
        if again is None or new is None:
            self._rebuild(dependent, lost.address)
        elif not isinstance(mine, Alter) and again:
            self._set(Alter(dependent, new, again))
        elif isinstance(mine, Alter) and not again <= mine.changed:
            self._set(replace(mine, changed=mine.changed | again))

    def _whole(self, old: Object) -> None:
        """Rebuild what it cannot go without, by the internal and partition types of `pg_depend`.

        That is the table of a column in its partition key, and the index that this one is attached to.
        """
        if not kind_of(old).drop(old, self.scene):
            return  # It comes and goes by statements about others.
        for edge in self.scene.live.dependencies.get(old.address, ()):
            whole = self.scene.live[edge.referenced]
            if edge.referenced == old.parent:
                held = "i" in edge.types
            else:
                held = "P" in edge.types and not self._lets_go(old, whole)
            if held:
                self._rebuild(whole, old.address)

    def _lets_go(self, old: Object, whole: Object) -> bool:
        """Whether the container of the object is, or will be, a partition of that of `whole` no more."""
        if old.parent is None or whole.parent is None:
            return False
        if not self.lost.isdisjoint((old.parent, whole.parent)):
            return True
        edges = self.scene.desired.dependencies.get(old.parent, ())
        return all(edge.referenced != whole.parent for edge in edges)

    def _still_needs(self, edge: Edge, change: Drop | Replace) -> bool:
        """Whether the altered dependant depends on the object afterwards too."""
        return isinstance(change, Replace) and any(
            e.referenced == edge.referenced for e in self.scene.desired.dependencies.get(edge.dependent, ())
        )

    def _needs_successor(self, dependent: Address, lost: Object) -> bool:
        """Whether it comes to depend on what takes the name of the object, and so cannot let go before that exists."""
        names = set(kind_of(lost).names(lost))
        needed = (e.referenced for e in self.scene.desired.dependencies.get(dependent, ()))
        made = (self.scene.desired[a] for a in needed if a != lost.address and self.scene.creates(a))
        return any(not names.isdisjoint(kind_of(obj).names(obj)) for obj in made)

    def _rebuild(self, dependent: Object, because: Address) -> None:
        mine = self.closure.changes.get(dependent.address)
        if isinstance(mine, Drop | Replace):
            return
        new = self.scene.desired.objects.get(dependent.address)
        if new is not None:
            self._set(Replace(dependent, new, because))
        elif dependent.address in self.twins:
            self._set(Drop(dependent))
            self._set(Create(self.twins[dependent.address]))
        elif remnant(dependent, self.scene.live):
            self._set(Drop(dependent))
        elif dependent.address in self.consent:
            self._set(Replace(dependent, dependent, because))
        else:
            self.closure.broken.setdefault(dependent.address, because)

    def _set(self, change: Change) -> None:
        self.closure.changes[change.address] = change
        if isinstance(change, Drop | Replace):
            self.lost.add(change.address)
        self.queue.append(change.address)


def _lets_go_of(change: Alter, lost: Object) -> bool:
    """Whether the alteration frees it from what it does not need any more.

    Where what changes does not name that, and what stays does, the same text has come to mean another
    function or operator.
    """
    name = quote_qualified(*lost.address.names[:2])
    naming = {a for a, value in change.old.attributes.items() if name in str(value)}
    return not naming or not naming.isdisjoint(change.changed)


def swaps(closure: Closure, scene: Scene) -> dict[Address, Change]:
    """The changes, with rebuilds marked that must leave the old object in place for a while.

    That is so where a dependant outlives the rebuild by being altered from one to the other, or has
    to stay in place itself, and for tables whose rows are to be kept.
    """
    found = dict(closure.changes)
    for address in scene.busy:
        rebuilt = found.get(address)
        if isinstance(rebuilt, Replace) and rebuilt.old.kind == rebuilt.new.kind:
            found[address] = replace(rebuilt, swap=kind_of(rebuilt.old).swap)
    todo = [a for a, c in found.items() if isinstance(c, Alter) or _within(a, found, scene)]
    while todo:
        for edge in scene.live.dependencies.get(todo.pop(), ()):
            change = found.get(edge.referenced)
            if not isinstance(change, Replace) or change.swap:
                continue
            if kind_of(change.old).swap and not kind_of(change.old).rows:
                found[edge.referenced] = replace(change, swap=True)
                todo.append(edge.referenced)
    return found


def _within(address: Address, changes: Mapping[Address, Change], scene: Scene) -> bool:
    """Whether the object is a part of one that is set aside."""
    if address not in scene.live:
        return False
    containers = (changes.get(o.address) for o in scene.live.ancestors(scene.live[address]))
    return any(isinstance(c, Replace) and c.swap for c in containers)
