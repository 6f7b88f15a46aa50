"""Keeps together what a plan drops and creates again: no commit may fall in between.

A rebuild that a commit divides leaves its object missing: for as long as an index is built, until the
next transaction has its locks, or for good if that fails. So whatever takes long or needs a commit of
its own runs before the drop. What needs the drop and is needed by the creation (`in_between`) runs in
their transaction. What can do neither is the hazard `gap` (`planning/gaps.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Phase, Scene
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import twins
from novaops.planning.nodes import Act, Graph, Node, kind_of, steps_in
from novaops.planning.statements import revoked
from novaops.planning.topology import components

BOUNDARIES = (Act.PREPARE, Act.VALIDATE)
"""Acts whose statements run by themselves: whatever ran before is committed then."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """An object that is missing once one of the `taking` nodes ran, until the last of the `giving` ran."""

    object: Object
    taking: tuple[Node, ...]
    giving: tuple[Node, ...]


def rebuilds(changes: Mapping[Address, Change], scene: Scene, graph: Graph) -> list[Rebuild]:
    """Return what the plan takes away for a while.

    That is an object that is dropped and created again, under its own name or by another object that
    takes the name, and what an alteration releases and gives back later (a partition, a privilege).
    """
    successors = _Successors.of(changes, scene)
    found = []
    for change in changes.values():
        taking, giving = _ends(change, scene)
        if isinstance(change, Drop):
            giving = [Node(act, at) for at in successors.of_name(change.old) for act in _GIVING]
        rebuild = _rebuild(change, taking, giving, graph)
        if rebuild is not None:
            found.append(rebuild)
    return found


def replacements(changes: Mapping[Address, Change], scene: Scene, graph: Graph) -> list[Rebuild]:
    """Return what the plan drops and what seems to take its place: a policy for a policy, an identity for a default.

    PostgreSQL does not tell that one takes the place of the other, so this is no more than a wish.
    """
    successors = _Successors.of(changes, scene)
    found = []
    for change in changes.values():
        if isinstance(change, Drop):
            old = change.old
            giving = [Node(act, at) for at in successors.siblings(old) for act in _GIVING]
            if old.parent is not None and kind_of(old).is_setting(old):
                giving.append(Node(Act.FINISH, old.parent))
            rebuild = _rebuild(change, [Node(Act.DROP, old.address)], giving, graph)
            if rebuild is not None:
                found.append(rebuild)
    return found


def keep_together(graph: Graph, found: Sequence[Rebuild], wished: Sequence[Rebuild]) -> frozenset[Address]:
    """Let each rebuild wait for the boundaries that its creation waits for.

    Returns the objects of boundaries in between: they need the drop, and the creation needs them.
    """
    boundaries = [node for node in graph.nodes if node.act in BOUNDARIES]
    if not boundaries:
        return frozenset()
    together = [*found, *wished]
    before = _before(graph, [*((b,) for b in boundaries), *(r.taking for r in together)])
    in_between = set()
    for number, rebuild in enumerate(together):
        for boundary in _marked(before, rebuild.giving, boundaries):
            if not before[boundary] >> (len(boundaries) + number) & 1:
                for taking in rebuild.taking:
                    graph.wish(boundary, taking)
            elif number < len(found):
                in_between.add(boundary.address)
    return frozenset(in_between)


_GIVING = (Act.CREATE, Act.FILL, Act.FINISH)


def _rebuild(change: Change, taking: Iterable[Node], giving: Iterable[Node], graph: Graph) -> Rebuild | None:
    first, last = tuple(taking), tuple(giving)
    if graph.nodes.isdisjoint(first) or graph.nodes.isdisjoint(last):
        return None
    return Rebuild(change.new if isinstance(change, Create) else change.old, first, last)


def _ends(change: Change, scene: Scene) -> tuple[list[Node], list[Node]]:
    """Return the nodes of the change that take something away, and those that give it back."""
    at = change.address
    match change:
        case Create():
            return [], []
        case Drop():
            return [Node(Act.DROP, at), Node(Act.RELEASE, at)], []
        case Replace(old, new, swap=swap):
            goes, comes = kind_of(old).produced(old, scene), kind_of(new).produced(new, scene)
            if goes and comes:
                return [], []  # statements about other objects do both
            taking = [Node(Act.ASIDE if swap else Act.DROP, at), Node(Act.RELEASE, at)]
            giving = [Node(act, at) for act in _GIVING]
            if goes:
                taking += [
                    Node(act, whole) for whole in _whole(at, scene.live) for act in (Act.DROP, Act.RELEASE)
                ]
            if comes:
                giving += [Node(act, whole) for whole in _whole(at, scene.desired) for act in _GIVING]
            return taking, giving
        case Alter():
            if revoked(change):
                # A REVOKE on a table takes the columns' privileges too (documentation, REVOKE).
                columns = scene.live.children.get(at, ())
                return [Node(Act.ALTER, at)], [Node(Act.ALTER, column.address) for column in columns]
            if any(step.exposes is not None for step in steps_in(Phase.MAIN, change, scene)):
                return [Node(Act.ALTER, at)], [Node(Act.FINISH, at)]
            later = [Node(Act.ALTER, at)] if steps_in(Phase.MAIN, change, scene) else []
            # A default takes the place of an identity.
            settings = [c for c in scene.desired.children.get(at, ()) if kind_of(c).is_setting(c)]
            later += [Node(Act.CREATE, child.address) for child in settings]
            return [Node(Act.RELEASE, at)], [*later, Node(Act.FINISH, at)]


def _whole(address: Address, snapshot: Snapshot) -> Iterator[Address]:
    """Yield what an object comes and goes with (`pg_depend.deptype`): a partition's trigger with the parent's."""
    for edge in snapshot.dependencies.get(address, ()):
        if not edge.types.isdisjoint("aiPS"):
            yield edge.referenced


@dataclass(frozen=True, slots=True)
class _Successors:
    """Objects that the plan creates, by what tells that they take the place of a dropped one."""

    by_name: Mapping[tuple[str, ...], Sequence[Address]]
    by_parent: Mapping[tuple[Address | None, str], Sequence[Address]]
    overloads: Mapping[tuple[str, tuple[str, ...]], Sequence[Address]]
    twins: Mapping[Address, Object]

    @classmethod
    def of(cls, changes: Mapping[Address, Change], scene: Scene) -> _Successors:
        by_name: dict[tuple[str, ...], list[Address]] = {}
        by_parent: dict[tuple[Address | None, str], list[Address]] = {}
        overloads: dict[tuple[str, tuple[str, ...]], list[Address]] = {}
        for change in changes.values():
            if isinstance(change, Create):
                new = change.new
                for name in kind_of(new).names(new):
                    by_name.setdefault(name, []).append(new.address)
                by_parent.setdefault((new.parent, new.kind), []).append(new.address)
                overloads.setdefault((new.address.type, new.address.names), []).append(new.address)
        return cls(by_name, by_parent, overloads, twins(scene.live, scene.desired))

    def of_name(self, old: Object) -> Iterator[Address]:
        """Yield what people reach by the name of `old` from then on; a routine with other arguments, too."""
        for name in kind_of(old).names(old):
            yield from self.by_name.get(name, ())
        yield from self.overloads.get((old.address.type, old.address.names), ())
        if old.address in self.twins:
            yield self.twins[old.address].address

    def siblings(self, old: Object) -> Sequence[Address]:
        """Return new objects of the kind in the same container."""
        return self.by_parent.get((old.parent, old.kind), ()) if old.parent is not None else ()


def _before(graph: Graph, marked: Sequence[Iterable[Node]]) -> Mapping[Node, int]:
    """Return for each node the bits of the `marked` groups of nodes that run before it, or with it."""
    own: dict[Node, int] = {}
    for number, nodes in enumerate(marked):
        for node in nodes:
            own[node] = own.get(node, 0) | 1 << number
    after = {node: graph.after.get(node, set()) for node in graph.nodes}
    found: dict[Node, int] = {}
    # Tarjan's algorithm returns a component after all that it waits for.
    for component in components(after):
        bits = 0
        for node in component:
            bits |= own.get(node, 0)
            for first in after[node]:
                bits |= found.get(first, 0)
        found.update(dict.fromkeys(component, bits))
    return found


def _marked(before: Mapping[Node, int], nodes: Iterable[Node], marks: Sequence[Node]) -> Iterator[Node]:
    """Yield the marks, the first bits of `before`, that run before one of the nodes."""
    bits = 0
    for node in nodes:
        bits |= before.get(node, 0)
    bits &= (1 << len(marks)) - 1
    while bits:
        lowest = bits & -bits
        yield marks[lowest.bit_length() - 1]
        bits ^= lowest
