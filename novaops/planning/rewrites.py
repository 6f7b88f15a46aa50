"""Builds over the rows of a table wait for its rewrite, which would repeat them while it locks everybody out."""

from __future__ import annotations

from collections.abc import Mapping

from novaops.catalog.address import Address
from novaops.kinds.kind import Phase, Scene
from novaops.kinds.work import REWRITE
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.nodes import Act, Graph, Node, heirs, steps_in


def wait_for_rewrites(graph: Graph, changes: Mapping[Address, Change], scene: Scene) -> None:
    """Put the preparation of what is new on a table behind what rewrites the table, where dependencies allow it.

    What is validated comes last anyhow.
    """
    rewrites: dict[Address, list[Node]] = {}
    for change in changes.values():
        if (table := rewritten_table(change, scene)) is not None:
            act = Act.ALTER if isinstance(change, Alter) else Act.CREATE
            for each in (table, *heirs(table, scene.live)):
                rewrites.setdefault(each, []).append(Node(act, change.address))
    for node in graph.nodes:
        change = changes[node.address]
        if node.act is not Act.PREPARE or not isinstance(change, Create | Replace):
            continue
        *_, root = change.new, *scene.desired.ancestors(change.new)
        for rewrite in rewrites.get(root.address, ()):
            if rewrite.address != node.address:
                graph.edge(rewrite, node, weak=True)
                # The old one serves until the new one is built.
                graph.forget(Node(Act.DROP, node.address), rewrite)


def rewritten_table(change: Change, scene: Scene) -> Address | None:
    """The table with rows that the change writes anew, if it does."""
    if isinstance(change, Drop):
        return None
    *_, table = change.new, *scene.desired.ancestors(change.new)
    if table.address not in scene.busy or table.address in scene.replaced:
        return None
    work = (work for step in steps_in(Phase.MAIN, change, scene) for work in step.work)
    return table.address if any(w.hazard == REWRITE and w.index is None for w in work) else None
