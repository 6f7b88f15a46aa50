"""Builds over the rows of a table wait for its rewrite, which would repeat them while it locks everybody out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from novaops.catalog.address import Address
from novaops.kinds.kind import Phase, Scene
from novaops.kinds.work import REWRITE
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.nodes import Act, Graph, Node, heirs, steps_in


def wait_for_rewrites(graph: Graph, changes: Mapping[Address, Change], scene: Scene) -> None:
    """Put the preparation of what is new on a table behind what rewrites the table, where dependencies allow it.

    What is validated comes last anyhow. What is dropped before the rewrite, and needs what is prepared to be created
    again, would be missing as long as that takes: the preparation then comes first, and is repeated by the rewrite.
    """
    rewrites: dict[Address, list[Node]] = {}
    for change in changes.values():
        if (table := rewritten_table(change, scene)) is not None:
            act = Act.ALTER if isinstance(change, Alter) else Act.CREATE
            for each in (table, *heirs(table, scene.live)):
                rewrites.setdefault(each, []).append(Node(act, change.address))
    followers = _followers(graph) if rewrites else {}
    for node in sorted(graph.nodes):
        change = changes[node.address]
        if node.act is not Act.PREPARE or not isinstance(change, Create | Replace):
            continue
        *_, root = change.new, *scene.desired.ancestors(change.new)
        if root.address not in rewrites:
            continue
        rebuilt = [n for n in _drops_of_rebuilt(node, followers) if n in graph.nodes]
        needed_before = {later for drop in rebuilt for later in _reachable(drop, followers)}
        for rewrite in rewrites[root.address]:
            if rewrite.address != node.address and rewrite not in needed_before:
                graph.edge(rewrite, node, weak=True)
                # The old one serves until the new one is built.
                graph.forget(Node(Act.DROP, node.address), rewrite)
                for drop in rebuilt:
                    graph.edge(node, drop, weak=True)


def _followers(graph: Graph) -> Mapping[Node, set[Node]]:
    """What waits for each node."""
    found: dict[Node, set[Node]] = {}
    for then, firsts in graph.after.items():
        for first in firsts:
            found.setdefault(first, set()).add(then)
    return found


def _drops_of_rebuilt(prepare: Node, followers: Mapping[Node, set[Node]]) -> Iterator[Node]:
    """The drops of other objects whose creation waits for the preparation."""
    for node in sorted(_reachable(prepare, followers)):
        if node.act is Act.CREATE and node.address != prepare.address:
            yield Node(Act.DROP, node.address)


def _reachable(start: Node, followers: Mapping[Node, set[Node]]) -> set[Node]:
    todo, found = [start], set[Node]()
    while todo:
        for node in followers.get(todo.pop(), ()):
            if node not in found:
                found.add(node)
                todo.append(node)
    return found


def rewritten_table(change: Change, scene: Scene) -> Address | None:
    """The table with rows that the change writes anew, if it does."""
    if isinstance(change, Drop):
        return None
    *_, table = change.new, *scene.desired.ancestors(change.new)
    if table.address not in scene.busy or table.address in scene.replaced:
        return None
    work = (work for step in steps_in(Phase.MAIN, change, scene) for work in step.work)
    return table.address if any(w.hazard == REWRITE and w.index is None for w in work) else None
