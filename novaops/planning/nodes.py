"""The graph of what a plan does: one node for each thing that happens to an object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.kinds.kind import Kind, Phase, Scene, Step
from novaops.planning.changes import Alter, Change, Create, Drop, Replace


class Act(IntEnum):
    """What a node does; the value orders nodes that dependencies leave free."""

    ASIDE = 0
    PREPARE = 1
    RELEASE = 2
    DROP = 3
    STUB = 4
    CREATE = 5
    ALTER = 6
    FILL = 7
    FINISH = 8
    VALIDATE = 9


class Node(NamedTuple):
    """One act on one object."""

    act: Act
    address: Address


@dataclass(slots=True)
class Graph:
    """Nodes and what each must wait for; `weak` edges are wishes that a cycle may ignore, `wishes` first of all."""

    nodes: set[Node] = field(default_factory=set)
    after: dict[Node, set[Node]] = field(default_factory=dict)
    weak: set[tuple[Node, Node]] = field(default_factory=set)
    wishes: set[tuple[Node, Node]] = field(default_factory=set)
    succeeded: dict[Node, Node] = field(default_factory=dict)
    """Drops of objects that serve until another one, which was prepared, takes their place; its creation."""

    def edge(self, first: Node, then: Node, weak: bool = False) -> None:
        """`first` runs before `then`; ignored unless both are nodes."""
        if first == then or first not in self.nodes or then not in self.nodes:
            return
        known = first in self.after.setdefault(then, set())
        self.after[then].add(first)
        if not weak:
            self.weak.discard((first, then))
        elif not known:
            self.weak.add((first, then))

    def wish(self, first: Node, then: Node) -> None:
        """Let `first` run before `then` where no edge speaks against it."""
        if {first, then} <= self.nodes and first != then and first not in self.after.setdefault(then, set()):
            self.after[then].add(first)
            self.wishes.add((first, then))

    def forget(self, first: Node, then: Node) -> None:
        """Give up the edge if it is weak."""
        if (first, then) in self.weak:
            self.weak.discard((first, then))
            self.after[then].discard(first)


PHASES = (Phase.PREPARE, Phase.RELEASE, Phase.FINISH, Phase.VALIDATE)
"""Phases that are nodes of their own, of the same name; MAIN is the creation or alteration itself."""


def steps_in(phase: Phase, change: Change, scene: Scene) -> list[Step]:
    """The statements of the change in one phase; for creations those that do not depend on parts."""
    match change:
        case Alter(old, new, changed):
            steps = kind_of(new).alter(old, new, changed, scene) if changed else None
        case Create(new) | Replace(new=new):
            if phase is Phase.FINISH:
                return kind_of(new).finish(new, scene)
            by_itself = scene.online(new) and not kind_of(new).produced(new, scene)
            steps = kind_of(new).create(new, (), scene) if by_itself else None
        case Drop():
            return []
    return [s for s in steps or () if s.phase is phase]


def kind_of(obj: Object) -> Kind:
    """The kind that read the object."""
    return registry()[obj.kind]


def needs(snapshot: Snapshot, dependent: Address, referenced: Address) -> bool:
    """Whether one object depends directly on the other."""
    return any(e.referenced == referenced for e in snapshot.dependencies.get(dependent, ()))


def heirs(table: Address, snapshot: Snapshot) -> Iterator[Address]:
    """Partitions and other tables that inherit from the table, at any depth."""
    for edge in snapshot.dependents.get(table, ()):
        if edge.dependent.type == table.type and kind_of(snapshot[edge.dependent]).rows:
            yield edge.dependent
            yield from heirs(edge.dependent, snapshot)


def belonging(snapshot: Snapshot, address: Address) -> Iterator[Address]:
    """What depends on the object automatically (its indexes) or is contained in it, at any depth."""
    for edge in snapshot.dependents.get(address, ()):
        if edge.types & {"c", "a", "i"}:
            yield edge.dependent
            if "c" in edge.types:
                yield from belonging(snapshot, edge.dependent)
