"""From two snapshots to ordered statements: the part of planning that needs no connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.locks import LockTable
from novaops.kinds import registry
from novaops.kinds.kind import LAST, Scene
from novaops.planning.changes import Alter, Change, Drop, Replace
from novaops.planning.closure import close, swaps
from novaops.planning.diff import Comparison, diff
from novaops.planning.gaps import Gap, gaps
from novaops.planning.nodes import Act, Graph, Node
from novaops.planning.order import Group, Ordered, order
from novaops.planning.rebuilds import Rebuild, keep_together, rebuilds, replacements
from novaops.planning.rewrites import wait_for_rewrites
from novaops.planning.scope import Scope
from novaops.planning.segments import transactions
from novaops.planning.statements import Written, write
from novaops.planning.units import units
from novaops.planning.wiring import Wiring

DEFAULT = LockTable()


@dataclass(frozen=True, slots=True)
class Draft:
    """Closed changes and their statements; `numbers` are the statements' transactions.

    `full` tells how many of these end only because they hold as many locks as they may, `broken` maps
    unmanaged objects to the managed change that PostgreSQL would refuse for them. `gaps` are what is missing
    at some commit although it is there before and afterwards.
    """

    scene: Scene
    changes: Mapping[Address, Change]
    broken: Mapping[Address, Address]
    written: tuple[Written, ...] = ()
    numbers: tuple[int | None, ...] = ()
    full: int = 0
    gaps: tuple[Gap, ...] = ()


def draft(
    live: Snapshot,
    desired: Snapshot,
    scope: Scope,
    comparison: Comparison,
    consent: frozenset[Address] = frozenset(),
    busy: frozenset[Address] = frozenset(),
    room: int = DEFAULT.room,
    last: Sequence[Written] = (),
) -> Draft:
    """What turns `live` into `desired`.

    `consent` names unmanaged objects that may be rebuilt as they are, `busy` tables with rows; `room`
    is how many locks a transaction may hold; `last` comes after everything else.
    """
    scene = Scene(live, desired, desired.version or live.version, busy=busy)
    closure = close(diff(live, desired, scope, comparison), scene, consent)
    changes = swaps(closure, scene)
    dropped = frozenset(a for a, c in changes.items() if isinstance(c, Drop | Replace))
    moved = frozenset(a for a in dropped & busy if isinstance(c := changes[a], Replace) and c.swap)
    scene = replace(scene, replaced=dropped, moved=moved)
    scene, graph, found = wired(changes, scene)
    blind, delayed = blind_evaluations(desired), delayed_preparations(graph)
    ordered = order(
        graph,
        changes,
        scene,
        lambda node: (
            bool(last) and waits(node, changes, blind),
            sort_key(node, changes, scene, blind, delayed),
        ),
    )
    stubbed = frozenset(g.head.address for g in ordered.groups if g.head.act is Act.STUB)
    scene = replace(scene, stubbed=stubbed)
    written = {group.head: write(group, changes, scene, comparison) for group in ordered.groups}
    return _divided(Draft(scene, changes, closure.broken), ordered, found, written, last, room)


def wired(changes: Mapping[Address, Change], scene: Scene) -> tuple[Scene, Graph, list[Rebuild]]:
    """Return the graph, and the scene in which no boundary has to fall into a rebuild.

    What both needs a drop and is needed by the creation is made in their transaction: it locks others
    out, which is a hazard of its own, but leaves no gap.
    """
    while True:
        graph = Wiring(changes, scene).build()
        wait_for_rewrites(graph, changes, scene)
        found = rebuilds(changes, scene, graph)
        in_between = keep_together(graph, found, replacements(changes, scene, graph))
        if in_between <= scene.at_once:
            return scene, graph, found
        scene = replace(scene, at_once=scene.at_once | in_between)


def _divided(
    made: Draft,
    ordered: Ordered,
    found: Sequence[Rebuild],
    written: Mapping[Node, Sequence[Written]],
    last: Sequence[Written],
    room: int,
) -> Draft:
    """Return the draft with its statements in transactions, in an order in which these divide no rebuild."""

    def root(node: Node) -> Address:
        live = made.scene.live
        snapshot = live if node.address in live else made.scene.desired
        return outermost(snapshot[node.address], snapshot).address

    def divided(parts: Sequence[Sequence[Group]], whole: bool) -> Draft:
        groups = [(group, written[group.head]) for part in parts for group in part]
        statements = (*(w for _, of_group in groups for w in of_group), *last)
        alone = [[w] for w in statements]
        together = [[w for group in part for w in written[group.head]] for part in parts]
        in_transactions = transactions([*together, *([w] for w in last)] if whole else alone, room)
        return replace(
            made,
            written=statements,
            numbers=in_transactions.numbers,
            full=in_transactions.full,
            gaps=gaps(groups, in_transactions.numbers, found),
        )

    plain = divided([[group] for group in ordered.groups], whole=False)
    return divided(units(ordered, found, root), whole=True) if plain.gaps else plain


def sort_key(
    node: Node,
    changes: Mapping[Address, Change],
    scene: Scene,
    blind: frozenset[Address],
    delayed: frozenset[Node],
) -> tuple[object, ...]:
    """Preparations, drops, then by schema and name: each object followed by what belongs to it.

    Tables that others are using come late, so that they are locked shortly. What runs functions whose
    needs nobody knows (`blind`), and what is `delayed`, waits until nothing else can be done.
    """
    change = changes[node.address]
    obj = change.old if isinstance(change, Drop) else change.new
    root = outermost(obj, scene.live if isinstance(change, Drop) else scene.desired)
    rank = registry()[obj.kind].rank
    root_rank = rank if rank >= LAST else registry()[root.kind].rank
    first = node.act in (Act.ASIDE, Act.RELEASE, Act.DROP) and root_rank < LAST
    first = first and node.address not in scene.moved
    last = node in delayed or (node.act in (Act.CREATE, Act.PREPARE) and node.address in blind)
    return (
        root_rank >= LAST,
        node.act is Act.VALIDATE,
        node.act is not Act.PREPARE or last,
        not first,
        last,
        # What comes back to a table waits for all that may have to leave it before.
        node.act is Act.FINISH and isinstance(change, Alter),
        root.address in scene.busy,
        root_rank,
        root.schema or "",
        root.name,
        root.address,
        node.act is Act.FINISH,
        rank,
        obj.facts.get("position", 0),
        node.address,
        node.act.value,
    )


def waits(node: Node, changes: Mapping[Address, Change], blind: frozenset[Address]) -> bool:
    """Whether it changes right before `last`: a string in it may use names that only that gives.

    What may run such strings waits with them.
    """
    change = changes[node.address]
    if isinstance(change, Drop):
        return False
    if node.act in (Act.CREATE, Act.ALTER, Act.DROP) and registry()[change.new.kind].opaque(change.new):
        return True
    return node.act in (Act.CREATE, Act.PREPARE, Act.VALIDATE) and node.address in blind


def delayed_preparations(graph: Graph) -> frozenset[Node]:
    """Preparations that need what the plan changes before: long work that what was dropped must not wait for."""
    return frozenset(
        node
        for node in graph.nodes
        if node.act is Act.PREPARE
        and any(before.act is not Act.PREPARE for before in graph.after.get(node, ()))
    )


def blind_evaluations(desired: Snapshot) -> frozenset[Address]:
    """Objects whose making may run a function with a body that `pg_depend` does not look into."""
    reached = {o.address for o in desired if registry()[o.kind].opaque(o)}
    todo = list(reached)
    while todo:
        address = todo.pop()
        above = [e.dependent for e in desired.dependents.get(address, ())]
        parent = desired[address].parent
        if parent is not None and registry()[desired[address].kind].joined:
            above.append(parent)
        for each in above:
            if each not in reached:
                reached.add(each)
                todo.append(each)
    return frozenset(a for a in reached if registry()[desired[a].kind].evaluates)


def outermost(obj: Object, snapshot: Snapshot) -> Object:
    """The object itself, or the outermost one that contains it."""
    *_, last = obj, *snapshot.ancestors(obj)
    return last
