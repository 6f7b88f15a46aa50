"""Wires the graph of a plan: what each node waits for, from `pg_depend` and from names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.kind import Phase, Scene
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.nodes import PHASES, Act, Graph, Node, belonging, heirs, kind_of, needs, steps_in


@dataclass(frozen=True, slots=True)
class Wiring:
    """Builds the graph of a closed set of changes."""

    changes: Mapping[Address, Change]
    scene: Scene
    graph: Graph = field(default_factory=Graph)

    def build(self) -> Graph:
        for change in self.changes.values():
            self.graph.nodes.update(self._nodes(change))
        for change in self.changes.values():
            match change:
                case Create(new):
                    self._created(new)
                case Drop(old):
                    self._dropped(old, swap=False)
                case Replace(old, new, _, swap):
                    self._created(new)
                    self._dropped(old, swap)
                    self._replaced(change)
                case Alter():
                    self._altered(change)
        self._names()
        return self.graph

    def _nodes(self, change: Change) -> Iterator[Node]:
        at = change.address
        if isinstance(change, Drop | Replace):
            yield Node(Act.DROP, at)
        if isinstance(change, Create | Replace):
            yield Node(Act.CREATE, at)
        if isinstance(change, Replace) and change.swap:
            yield Node(Act.ASIDE, at)
            if at in self.scene.moved:
                yield Node(Act.FILL, at)
        if isinstance(change, Alter):
            yield Node(Act.ALTER, at)
        for phase in PHASES:
            if steps_in(phase, change, self.scene):
                yield Node(Act[phase.name], at)

    def _created(self, new: Object) -> None:
        create, finish = Node(Act.CREATE, new.address), Node(Act.FINISH, new.address)
        prepare = Node(Act.PREPARE, new.address)
        # What nobody declares and is rebuilt all the same needs what it has needed.
        known = self.scene.desired if new.address in self.scene.desired else self.scene.live
        for edge in known.dependencies.get(new.address, ()):
            late = edge.types <= kind_of(new).late
            then = finish if late else create
            self.graph.edge(Node(Act.CREATE, edge.referenced), then)
            if "P" not in edge.types:
                self._complete(edge.referenced, then)
            # Altering a container may wait for what it is to contain.
            self.graph.edge(Node(Act.ALTER, edge.referenced), then, weak=edge.referenced == new.parent)
            weak = edge.referenced == new.parent
            for act in () if late else (Act.CREATE, Act.ALTER):
                if act is Act.CREATE or self._changes_itself(edge.referenced):
                    self.graph.edge(Node(act, edge.referenced), prepare, weak=weak)
        for address in kind_of(new).needs(new, self.scene.desired):
            if self._precedes(new.address, address):
                continue
            self.graph.edge(Node(Act.CREATE, address), create)
            self.graph.edge(Node(Act.ALTER, address), create, weak=True)
            by_itself = not kind_of(new).produced(new, self.scene)
            self.graph.edge(Node(Act.VALIDATE, address), create if by_itself else finish)
        for address in self._preceding(new.address):
            self.graph.edge(Node(Act.CREATE, address), create)
        for address in kind_of(new).rivals(new, self.scene):
            self.graph.edge(Node(Act.DROP, address), create, weak=True)
        for address in kind_of(new).awaits(new, self.scene.desired):
            self.graph.edge(Node(Act.FINISH, address), create)
        self._finish_last(new)

    def _changes_itself(self, address: Address) -> bool:
        """Whether an alteration has statements of its own, besides those that come before and after it."""
        change = self.changes.get(address)
        return not isinstance(change, Alter) or bool(steps_in(Phase.MAIN, change, self.scene))

    def _preceding(self, address: Address) -> Collection[Address]:
        """The objects that are created before this one although they need it."""
        change = self.changes.get(address)
        if not isinstance(change, Create | Replace):
            return ()
        return tuple(kind_of(change.new).preceded_by(change.new, self.scene))

    def _precedes(self, first: Address, then: Address) -> bool:
        """Whether the object is created before the other one, or before what contains that."""
        whole = self.scene.desired.objects.get(then)
        return first in self._preceding(then) or (
            whole is not None and whole.parent is not None and self._precedes(first, whole.parent)
        )

    def _complete(self, referenced: Address, then: Node) -> None:
        """A foreign key finds an index of a partitioned table only when those of all partitions are attached."""
        for edge in self.scene.desired.attached.get(referenced, ()):
            self.graph.edge(Node(Act.FINISH, edge.dependent), then, weak=True)
            self._complete(edge.dependent, then)

    def _finish_last(self, new: Object) -> None:
        create, finish = Node(Act.CREATE, new.address), Node(Act.FINISH, new.address)
        for main in (create, Node(Act.ALTER, new.address)):
            self.graph.edge(Node(Act.PREPARE, new.address), main)
            self.graph.edge(main, finish)
            self.graph.edge(main, Node(Act.VALIDATE, new.address))
        if new.parent is not None:
            # The index of a partition is attached when the partition is.
            self.graph.edge(Node(Act.FINISH, new.parent), finish)
        for address in (new.address, *(c.address for c in self.scene.desired.children.get(new.address, ()))):
            # What is attached to an index makes it valid, and only valid ones are attached further up.
            for edge in self.scene.desired.dependents.get(address, ()):
                if edge.types <= kind_of(self.scene.desired[edge.dependent]).late:
                    self.graph.edge(Node(Act.FINISH, edge.dependent), finish, weak=True)
        for part in self.scene.desired.children.get(new.address, ()):
            # An identity wants a NOT NULL that was validated.
            self.graph.edge(Node(Act.VALIDATE, part.address), finish, weak=True)
        # An index is no part of what is finished about its column, and may take long.
        inside = [child.address for child in self.scene.desired.children.get(new.address, ())]
        for child in inside if new.parent is not None else belonging(self.scene.desired, new.address):
            if not self._whole(child):
                self.graph.edge(Node(Act.CREATE, child), finish, weak=True)
                self.graph.edge(Node(Act.ALTER, child), finish, weak=True)

    def _dropped(self, old: Object, swap: bool) -> None:
        drop = Node(Act.DROP, old.address)
        for address in kind_of(old).needs(old, self.scene.live):
            self.graph.edge(drop, Node(Act.DROP, address))
            # That drop may take this object along.
            self.graph.edge(Node(Act.DROP, address), Node(Act.CREATE, old.address), weak=True)
        for address in kind_of(old).successors(old, self.scene):
            for act in (Act.CREATE, Act.ALTER, Act.FILL, Act.FINISH):
                self.graph.edge(Node(act, address), drop)
        for edge in self.scene.live.dependents.get(old.address, ()):
            self.graph.edge(Node(Act.DROP, edge.dependent), drop)
            self.graph.edge(Node(Act.RELEASE, edge.dependent), drop)
            gone = old.address not in self.scene.desired or not needs(
                self.scene.desired, edge.dependent, old.address
            )
            if swap or gone:
                self.graph.edge(Node(Act.ALTER, edge.dependent), drop, weak=edge.dependent == old.parent)
        for address in kind_of(old).precedes(old, self.scene):
            for altered in self._sources(address):
                self.graph.edge(drop, Node(Act.ALTER, altered))

    def _sources(self, address: Address) -> Iterator[Address]:
        """The object, and what it is inherited from, at any height: the statement about that alters it, too."""
        yield address
        for source in kind_of(self.scene.live[address]).needs(self.scene.live[address], self.scene.live):
            if source in self.scene.live:
                yield from self._sources(source)

    def _replaced(self, change: Replace) -> None:
        at = change.address
        if change.swap:
            self.graph.edge(Node(Act.ASIDE, at), Node(Act.CREATE, at))
            self.graph.edge(Node(Act.CREATE, at), Node(Act.DROP, at))
            for edge in self.scene.live.dependents.get(at, ()):
                if "c" not in edge.types:
                    # A function is dropped by the types of its arguments, under the names they have.
                    self.graph.edge(Node(Act.DROP, edge.dependent), Node(Act.ASIDE, at), weak=True)
                self.graph.edge(Node(Act.RELEASE, edge.dependent), Node(Act.ASIDE, at), weak=True)
            self._filled(at)
        elif not self._within_swap(change.old):
            self.graph.edge(Node(Act.DROP, at), Node(Act.CREATE, at))
            if not list(kind_of(change.old).precedes(change.old, self.scene)):
                self.graph.edge(Node(Act.PREPARE, at), Node(Act.DROP, at))

    def _filled(self, at: Address) -> None:
        """Rows are copied when their partitions are there, and before what would act on new rows or read them."""
        fill = Node(Act.FILL, at)
        self.graph.edge(Node(Act.CREATE, at), fill)
        self.graph.edge(fill, Node(Act.DROP, at))
        for heir in heirs(at, self.scene.live):
            # One that is made anew in the same way leaves before, and brings its rows along by itself.
            self.graph.edge(Node(Act.ASIDE, heir), Node(Act.ASIDE, at))
            if heir in self.scene.busy:
                self.graph.edge(fill, Node(Act.DROP, heir))
        partitions = set(heirs(at, self.scene.desired))
        for partition in partitions:
            self.graph.edge(Node(Act.FINISH, partition), fill)
        inside = self.scene.desired.children.get(at, ())
        for child in inside:
            if not kind_of(child).joins(child, self.scene):
                self.graph.edge(fill, Node(Act.CREATE, child.address))
        for part in (at, *(child.address for child in inside)):
            for edge in self.scene.desired.dependents.get(part, ()):
                if edge.dependent not in partitions:
                    self.graph.edge(fill, Node(Act.CREATE, edge.dependent), weak=True)

    def _within_swap(self, old: Object) -> Address | None:
        """What contains the object and stays, under another name, while the new one is made."""
        containers = (self.changes.get(o.address) for o in self.scene.live.ancestors(old))
        return next((c.address for c in containers if isinstance(c, Replace) and c.swap), None)

    def _set_aside_with(self, old: Object) -> Address | None:
        """The table whose rows are moved, which takes something over from the object."""
        return next((a for a in kind_of(old).successors(old, self.scene) if a in self.scene.moved), None)

    def _altered(self, change: Alter) -> None:
        alter = Node(Act.ALTER, change.address)
        for edge in self.scene.desired.dependencies.get(change.address, ()):
            late = edge.types <= kind_of(change.new).late
            then = Node(Act.FINISH, change.address) if late else alter
            self.graph.edge(Node(Act.CREATE, edge.referenced), then)
            self.graph.edge(Node(Act.ALTER, edge.referenced), then, weak=True)
            if late:
                # A partition that comes back to its parent leaves it when the parent is as it will be.
                self._after_parts(edge.referenced, alter)
        for address in kind_of(change.new).needs(change.new, self.scene.desired):
            for act in (Act.CREATE, Act.ALTER):
                self.graph.edge(Node(act, address), alter, weak=True)
        for edge in self.scene.live.dependencies.get(change.address, ()):
            if not needs(self.scene.desired, change.address, edge.referenced):
                self.graph.edge(alter, Node(Act.ALTER, edge.referenced), weak=True)
        release = Node(Act.RELEASE, change.address)
        inside = set(belonging(self.scene.live, change.address))
        for edge in self.scene.live.dependencies.get(change.address, ()):
            if edge.types <= kind_of(change.old).late:
                # A foreign key that refers to the parent's rows keeps a partition in its place.
                for used in self._used(edge.referenced):
                    for then in (release, alter):
                        self.graph.edge(Node(Act.DROP, used), then, weak=True)
        for edge in self.scene.live.dependents.get(change.address, ()):
            dependent = self.scene.live[edge.dependent]
            taken_over = any(kind_of(dependent).successors(dependent, self.scene))
            if not taken_over and self._changes_itself(change.address):
                self.graph.edge(Node(Act.DROP, edge.dependent), alter, weak=True)
            # A table is no longer OF a type when that changes.
            for then in (release, alter):
                self.graph.edge(Node(Act.RELEASE, edge.dependent), then, weak=True)
            if edge.dependent not in inside:
                # What uses an attribute of a type goes, or changes, before that attribute.
                for act in (Act.DROP, Act.ALTER):
                    self.graph.edge(Node(act, edge.dependent), release, weak=True)
        for child in self.scene.live.children.get(change.address, ()):
            # What is inherited, or comes from a type, cannot be changed before its table is let go.
            for act in (Act.DROP, Act.ALTER):
                self.graph.edge(release, Node(act, child.address), weak=True)
            self.graph.edge(Node(Act.DROP, child.address), Node(Act.FINISH, change.address), weak=True)
        for child in self.scene.desired.children.get(change.address, ()):
            self.graph.edge(release, Node(Act.CREATE, child.address), weak=True)
        self._finish_last(change.new)

    def _used(self, address: Address) -> Iterator[Address]:
        """What refers to the parts of a table from outside of its whole family."""
        *_, eldest = address, *self._forebears(address)
        family = {eldest, *heirs(eldest, self.scene.live)}
        for child in self.scene.live.children.get(address, ()):
            for edge in self.scene.live.dependents.get(child.address, ()):
                if edge.types == {"n"} and self.scene.live[edge.dependent].parent not in family:
                    yield edge.dependent

    def _forebears(self, address: Address) -> Iterator[Address]:
        """What the table is a partition of, at any height."""
        for edge in self.scene.live.dependencies.get(address, ()):
            if edge.types <= kind_of(self.scene.live[address]).late:
                yield edge.referenced
                yield from self._forebears(edge.referenced)

    def _whole(self, address: Address) -> bool:
        """Whether it waits until what it depends on is `_complete`, as a foreign key to its own table does."""
        edges = self.scene.desired.dependencies.get(address, ())
        return any(edge.referenced in self.scene.desired.attached for edge in edges if "n" in edge.types)

    def _after_parts(self, address: Address, then: Node) -> None:
        for snapshot in (self.scene.live, self.scene.desired):
            for child in snapshot.children.get(address, ()):
                for act in (Act.DROP, Act.CREATE, Act.ALTER):
                    if act is Act.DROP or not self._whole(child.address):
                        self.graph.edge(Node(act, child.address), then, weak=True)

    def _names(self) -> None:
        """A name is freed before it is used again."""
        freed: dict[tuple[str, ...], list[Node]] = {}
        for change in self.changes.values():
            if isinstance(change, Drop | Replace):
                aside = change.address if isinstance(change, Replace) and change.swap else None
                aside = aside or self._within_swap(change.old) or self._set_aside_with(change.old)
                node = Node(Act.ASIDE, aside) if aside else Node(Act.DROP, change.address)
                for name in kind_of(change.old).names(change.old):
                    freed.setdefault(name, []).append(node)
        for change in self.changes.values():
            if isinstance(change, Create | Replace):
                kind, at = kind_of(change.new), change.address
                for name in kind.names(change.new):
                    for node in freed.get(name, ()):
                        if node.address != at:
                            self.graph.edge(node, Node(Act.CREATE, at))
                            self._hand_over(node, at)
                for overload in self._overloads(change.new):
                    self.graph.edge(overload, Node(Act.CREATE, at), weak=True)
                    for edge in self.scene.desired.dependents.get(at, ()):
                        for act in (Act.CREATE, Act.ALTER):
                            self.graph.edge(overload, Node(act, edge.dependent), weak=True)
                for name in kind.working_names(change.new, self.scene):
                    for node in freed.get(name, ()):
                        if node.address != at:
                            self.graph.edge(node, Node(Act.PREPARE, at))
                            self.graph.succeeded.pop(node, None)

    def _hand_over(self, drop: Node, at: Address) -> None:
        """Let the new object take the place of the old one at once, if it is prepared beside it."""
        prepare, old = Node(Act.PREPARE, at), self.changes[drop.address]
        if drop.act is not Act.DROP or prepare not in self.graph.nodes or not isinstance(old, Drop):
            return
        if not list(kind_of(old.old).precedes(old.old, self.scene)):
            self.graph.succeeded[drop] = Node(Act.CREATE, at)

    def _overloads(self, new: Object) -> Iterator[Node]:
        """The drops of what only its arguments tell from the object: a call might mean either."""
        for address in self.scene.live.overloads.get(new.address.names, ()):
            if address.args != new.address.args:
                yield Node(Act.DROP, address)
