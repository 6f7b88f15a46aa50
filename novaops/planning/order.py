"""Puts the nodes of a plan in order, several in one statement where PostgreSQL allows it.

Every node starts out folded into the statement that does its work along with others: a column into
its CREATE TABLE, an index into the DROP TABLE that takes it away. A cycle is broken by taking apart
what stands in it, as pg_dump does (src/bin/pg_dump/pg_dump_sort.c, repairDependencyLoop): first
wishes are given up, then folded nodes get statements of their own, then an object is made, or
dropped, in two steps. What is left to be dropped then goes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from novaops.catalog.address import Address
from novaops.errors import NovaopsError
from novaops.kinds.kind import Scene
from novaops.planning.changes import Change, Create, Drop, Replace
from novaops.planning.nodes import Act, Graph, Node, kind_of
from novaops.planning.topology import components, topological


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that one statement does; `head` writes it.

    `circle` are those among them whose objects need that of the head as it needs them, `succeeded` the
    drops of other objects whose place that of the head takes.
    """

    head: Node
    members: tuple[Node, ...]
    circle: tuple[Node, ...] = ()
    succeeded: tuple[Node, ...] = ()


Key = Callable[[Node], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Ordered:
    """Groups in their order; `after` holds the heads that each head waits for."""

    groups: Sequence[Group]
    after: Mapping[Node, Set[Node]]


def order(graph: Graph, changes: Mapping[Address, Change], scene: Scene, key: Key) -> Ordered:
    """Groups in an order that keeps every strong edge of `graph`."""
    return _Ordering(graph, changes, scene, key).run()


@dataclass(slots=True)
class _Ordering:
    graph: Graph
    changes: Mapping[Address, Change]
    scene: Scene
    key: Key
    folded: dict[Node, Node] = field(default_factory=dict)
    circles: set[Node] = field(default_factory=set)
    given_up: set[tuple[Node, Node]] = field(default_factory=set)

    def run(self) -> Ordered:
        self.folded = dict(self._folds())
        while True:
            after = self._group_edges()
            cycles = [c for c in components(after) if len(c) > 1]
            if not cycles:
                self._take_up_again(after)
                return Ordered(self._sorted(after), after)
            for cycle in cycles:
                if not (
                    self._give_up_wishes(cycle)
                    or self._unfold(cycle)
                    or self._stub(cycle)
                    or self._hollow(cycle)
                    or self._at_once(cycle)
                ):
                    raise _unsolvable(cycle)

    def _folds(self) -> Iterator[tuple[Node, Node]]:
        for change in self.changes.values():
            if isinstance(change, Create | Replace):
                new = change.new
                into = Node(Act.CREATE, new.parent) if new.parent else None
                if into in self.graph.nodes and into and kind_of(new).joins(new, self.scene):
                    yield Node(Act.CREATE, new.address), into
            if isinstance(change, Drop | Replace):
                container = self._dropped_with(change)
                if container is not None:
                    yield Node(Act.DROP, change.address), container
                elif Node(Act.PREPARE, change.address) in self.graph.after.get(
                    Node(Act.DROP, change.address), ()
                ):
                    # The new one is ready: it takes the place of the old one at once.
                    yield Node(Act.DROP, change.address), Node(Act.CREATE, change.address)
                elif (create := self.graph.succeeded.get(Node(Act.DROP, change.address))) is not None:
                    yield Node(Act.DROP, change.address), create

    def _dropped_with(self, change: Drop | Replace) -> Node | None:
        """The drop that takes this object along: that of its parent, or of what it depends on automatically."""
        if change.address in self.scene.moved:
            return None  # it was detached from what it was a part of
        edges = self.scene.live.dependencies.get(change.address, ())
        # An attached index goes with the other one, unless it is detached before or holds a key.
        attached = kind_of(change.old).produced(change.old, self.scene)
        found = [
            Node(Act.DROP, e.referenced)
            for e in edges
            if (e.types & {"c", "a", "i"} or (e.types & {"P", "S"} and attached))
            and Node(Act.DROP, e.referenced) in self.graph.nodes
        ]
        if not found:
            return None
        return min(found, key=lambda n: (n.address != change.old.parent, len(n.address.names), n))

    def head(self, node: Node) -> Node:
        """The node whose statement does the work of `node`."""
        seen = {node}
        while (into := self.folded.get(node)) is not None and into not in seen:
            node = into
            seen.add(node)
        return node

    def _group_edges(self) -> dict[Node, set[Node]]:
        after: dict[Node, set[Node]] = {self.head(n): set() for n in self.graph.nodes}
        for then, firsts in self.graph.after.items():
            head = self.head(then)
            after[head].update(h for f in firsts if (h := self.head(f)) != head)
        return after

    def _inside(self, cycle: set[Node]) -> Iterator[tuple[Node, Node]]:
        """Edges (first, then) between different groups of the cycle."""
        for then, firsts in self.graph.after.items():
            head = self.head(then)
            if head in cycle:
                for first in firsts:
                    other = self.head(first)
                    if other in cycle and other != head:
                        yield first, then

    def _give_up_wishes(self, cycle: set[Node]) -> bool:
        inside = set(self._inside(cycle))
        given_up = inside & self.graph.wishes or inside & self.graph.weak
        for first, then in given_up:
            self.graph.after[then].discard(first)
        self.given_up |= given_up
        self.graph.wishes -= given_up
        self.graph.weak -= given_up
        return bool(given_up)

    def _unfold(self, cycle: set[Node]) -> bool:
        """Separate the members that make their group wait (creations) or be waited for (drops)."""
        edges = list(self._inside(cycle))
        waiting = {then for _, then in edges if then.act is Act.CREATE and then in self.folded}
        awaited = {first for first, _ in edges if first.act is Act.DROP and first in self.folded}
        for node in waiting | awaited:
            del self.folded[node]
        return bool(waiting | awaited)

    def _stub(self, cycle: set[Node]) -> bool:
        """Make one object of the cycle in two steps; what depends on it waits for the first only."""
        for node in sorted(cycle, key=self._stub_key):
            change = self.changes.get(node.address)
            if node.act is not Act.CREATE or not isinstance(change, Create | Replace):
                continue
            stub = Node(Act.STUB, node.address)
            if stub in self.graph.nodes or kind_of(change.new).stub(change.new) is None:
                continue
            self.graph.nodes.add(stub)
            for then, firsts in list(self.graph.after.items()):
                if node in firsts and then.address != node.address and self.head(then) in cycle:
                    firsts.discard(node)
                    self.graph.edge(stub, then)
            for first in self.graph.after.get(node, ()):
                if first.act is Act.DROP or first.act is Act.ASIDE:
                    self.graph.edge(first, stub)
            self.graph.edge(stub, node)
            return True
        return False

    def _hollow(self, cycle: set[Node]) -> bool:
        """Drop one object of the cycle in two steps; what it depended on waits for the first only."""
        for node in sorted(cycle, key=self._stub_key):
            change = self.changes[node.address]
            if node.act is not Act.DROP or not isinstance(change, Drop | Replace):
                continue
            hollow = Node(Act.RELEASE, node.address)
            if hollow in self.graph.nodes or kind_of(change.old).hollow(change.old) is None:
                continue
            self.graph.nodes.add(hollow)
            for then in cycle:
                if node in self.graph.after.get(then, ()):
                    self.graph.after[then].discard(node)
                    self.graph.edge(hollow, then)
            self.graph.edge(hollow, node)
            return True
        return False

    def _at_once(self, cycle: set[Node]) -> bool:
        """Drop objects that need each other, such as a base type and its functions, in one statement."""
        head, *others = sorted(cycle, key=self.key)
        for node in cycle:
            change = self.changes[node.address]
            if node.act is not Act.DROP or not isinstance(change, Drop | Replace):
                return False
            if not kind_of(change.old).owned or (isinstance(change, Replace) and change.swap):
                return False
        self.folded |= dict.fromkeys(others, head)
        self.circles.update(others)
        return True

    def _take_up_again(self, after: Mapping[Node, set[Node]]) -> None:
        """Add to `after` the wishes that were given up and that fit now that the cycles are taken apart.

        All those that the order fulfils anyway fit together; of the others, each that closes no cycle.
        """
        place = {node: number for number, node in enumerate(topological(after, self.key))}
        wishes = {(self.head(first), self.head(then)) for first, then in self.given_up}
        for first, then in sorted(wishes, key=lambda wish: (place[wish[0]] > place[wish[1]], wish)):
            if place[first] < place[then] or not _waits(after, first, then):
                after[then].add(first)

    def _stub_key(self, node: Node) -> tuple[object, ...]:
        change = self.changes[node.address]
        made = change.old if isinstance(change, Drop) else change.new
        return (kind_of(made).stub_rank, *self.key(node))

    def _sorted(self, after: Mapping[Node, set[Node]]) -> list[Group]:
        members: dict[Node, list[Node]] = {}
        for node in self.graph.nodes:
            members.setdefault(self.head(node), []).append(node)
        done: list[Group] = []
        for node in topological(after, self.key):
            others = tuple(sorted(n for n in members[node] if n != node))
            succeeded = (n for n in others if self.graph.succeeded.get(n) == self.folded.get(n) == node)
            circle = (n for n in others if n in self.circles)
            done.append(Group(node, others, tuple(circle), tuple(succeeded)))
        return done


def _waits(after: Mapping[Node, Set[Node]], node: Node, other: Node) -> bool:
    """Whether the node comes after the other one, or is the same."""
    seen, todo = {node}, [node]
    while todo:
        current = todo.pop()
        if current == other:
            return True
        todo += after[current] - seen
        seen |= after[current]
    return False


def _unsolvable(cycle: Iterable[Node]) -> NovaopsError:
    names = (f"{n.act.name.lower()} {n.address.type} {'.'.join(n.address.names)}" for n in sorted(cycle))
    return NovaopsError(
        "these changes depend on each other in a circle that novaops cannot take apart",
        detail=", ".join(names),
        hint="split the change into two applies, the first without one of these objects",
    )
