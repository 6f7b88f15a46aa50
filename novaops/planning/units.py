"""Puts the statements of each rebuild next to each other, so that a transaction can end between two rebuilds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set

from novaops.catalog.address import Address
from novaops.planning.nodes import Act, Node
from novaops.planning.order import Group, Ordered
from novaops.planning.rebuilds import BOUNDARIES, Rebuild
from novaops.planning.topology import components, topological


def units(
    ordered: Ordered, rebuilds: Sequence[Rebuild], root: Callable[[Node], Address]
) -> list[list[Group]]:
    """Return the groups in an order that keeps `ordered.after`, those of one rebuild together.

    A unit holds what runs between the drop and the creation of an object, or of several where one rebuild
    needs another; every other group is a unit by itself. Units keep their order where no edge speaks against
    it. `root` is the address of the object that contains that of a node, at whatever depth.
    """
    ordered = Ordered(ordered.groups, _finished_late(ordered, root))
    place = {group.head: number for number, group in enumerate(ordered.groups)}
    head_of = {node: group.head for group in ordered.groups for node in (group.head, *group.members)}
    joined = _joined(ordered, rebuilds, head_of)
    after = _contracted(ordered.after, joined)
    cycles = {head: min(c, key=place.__getitem__) for c in components(after) for head in c}
    unit_of = {head: cycles[unit] for head, unit in joined.items()}
    members: dict[Node, list[Group]] = {}
    for group in ordered.groups:
        members.setdefault(unit_of[group.head], []).append(group)
    latest = {unit: place[groups[-1].head] for unit, groups in members.items()}
    return [members[unit] for unit in topological(_contracted(ordered.after, unit_of), latest.__getitem__)]


def _finished_late(ordered: Ordered, root: Callable[[Node], Address]) -> dict[Node, set[Node]]:
    """Return `ordered.after`; what finishes an object also waits for all that came before it about its root.

    A partition is attached when it is as it will be. The order has seen to that where no edge was left.
    """
    after = {head: set(firsts) for head, firsts in ordered.after.items()}
    earlier: dict[Address, list[Node]] = {}
    for group in ordered.groups:
        if group.head.act is Act.FINISH:
            after[group.head].update(earlier.get(root(group.head), ()))
        elif group.head.act not in BOUNDARIES:
            for of_group in {root(node) for node in (group.head, *group.members)}:
                earlier.setdefault(of_group, []).append(group.head)
    return after


def _contracted(after: Mapping[Node, Set[Node]], unit_of: Mapping[Node, Node]) -> dict[Node, set[Node]]:
    found: dict[Node, set[Node]] = {unit: set() for unit in unit_of.values()}
    for head, firsts in after.items():
        found[unit_of[head]] |= {unit_of[first] for first in firsts} - {unit_of[head]}
    return found


def _joined(ordered: Ordered, rebuilds: Sequence[Rebuild], head_of: Mapping[Node, Node]) -> dict[Node, Node]:
    """Return for each head one that stands for all heads that are joined with it."""
    unit = {group.head: group.head for group in ordered.groups}

    def find(head: Node) -> Node:
        while unit[head] != head:
            unit[head] = head = unit[unit[head]]
        return head

    first: dict[int, Node] = {}
    for head, bits in _between(ordered, rebuilds, head_of).items():
        while bits:
            lowest = bits & -bits
            bits ^= lowest
            unit[find(head)] = find(first.setdefault(lowest, head))
    return {head: find(head) for head in unit}


def _between(ordered: Ordered, rebuilds: Sequence[Rebuild], head_of: Mapping[Node, Node]) -> dict[Node, int]:
    """Return for each head the bits of the rebuilds in which it takes part: it runs after the drop and before the creation."""
    taken: dict[Node, int] = {}
    given: dict[Node, int] = {}
    for number, rebuild in enumerate(rebuilds):
        for nodes, marks in ((rebuild.taking, taken), (rebuild.giving, given)):
            for head in {head_of[node] for node in nodes if node in head_of}:
                marks[head] = marks.get(head, 0) | 1 << number
    below, above = dict(taken), dict(given)
    for group in ordered.groups:
        for first in ordered.after[group.head]:
            below[group.head] = below.get(group.head, 0) | below.get(first, 0)
    for group in reversed(ordered.groups):
        for first in ordered.after[group.head]:
            above[first] = above.get(first, 0) | above.get(group.head, 0)
    ends = {head: taken.get(head, 0) | given.get(head, 0) for head in taken.keys() | given.keys()}
    return {
        group.head: below.get(group.head, 0) & above.get(group.head, 0) | ends.get(group.head, 0)
        for group in ordered.groups
    }
