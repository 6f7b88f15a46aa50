"""The changed objects as a tree: schemas, what is in them, and what these contain."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich.text import Text

from novaops.db.identifiers import quote_ident
from novaops.output.terminal import visible
from novaops.planning.plan import Hazard, LastRun, Plan, PlannedChange

SYMBOLS = {
    "create": ("+", "green"),
    "alter": ("~", "yellow"),
    "drop": ("-", "red"),
    "replace": ("±", "magenta"),
    "rename": (">", "cyan"),
}
HAZARD = "bold red"
OUTSIDE = "outside schemas"


@dataclass(slots=True)
class Node:
    """A line of the tree; `change` is None for a container that changes only inside."""

    kind: str
    name: str
    change: PlannedChange | None
    drift: str | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def operation(self) -> str:
        return self.change.operation if self.change else "alter"

    @property
    def hazards(self) -> tuple[Hazard, ...]:
        return self.change.hazards if self.change else ()


def tree(plan: Plan, width: int) -> list[Text]:
    """Lines of all changes, grouped by schema, objects outside schemas first."""
    lines: list[Text] = []
    for schema, nodes in _forest(plan).items():
        if lines:
            lines.append(Text())
        lines.append(Text(visible(schema) if schema is not None else OUTSIDE, "bold"))
        lines += _level(nodes, 2, width)
    return lines


def whole_database(plan: Plan) -> list[Hazard]:
    """Return the hazards of the database itself, which the plan keeps with one of the changes."""
    database = plan.target.database
    return [h for c in plan.changes for h in c.hazards if h.object == database != c.object]


def without(hazards: Sequence[Hazard], others: Sequence[Hazard]) -> tuple[Hazard, ...]:
    """Return the hazards that are none of the others."""
    return tuple(h for h in hazards if h not in others)


def hazard_text(hazard: Hazard) -> str:
    """A hazard in few words, for the line of the object that it concerns."""
    return visible(f"! {hazard.hazard}: {hazard.message}{' (pending)' if hazard.pending else ''}")


def state_of(hazard: Hazard) -> str:
    """What is added to a hazard that does not block: that it was allowed, and why, or is pending."""
    if hazard.allowed:
        return f" (allowed: {visible(hazard.reason)})" if hazard.reason else " (allowed)"
    return " (pending)" if hazard.pending else ""


def aligned(left: Text, right: Text, width: int, indent: int) -> Iterator[Text]:
    """`right` flush right on the line of `left`, or on a line of its own where it does not fit."""
    room = width - left.cell_len - right.cell_len
    if not right.plain:
        yield left
    elif room >= 2:
        yield Text.assemble(left, " " * room, right)
    else:
        yield left
        yield Text.assemble(" " * max(indent, width - right.cell_len), right)


def _forest(plan: Plan) -> dict[str | None, list[Node]]:
    ordered = sorted(plan.changes, key=lambda c: (c.schema is not None, c.schema or ""))
    whole = whole_database(plan)
    nodes = [
        Node(c.kind, _name(c), replace(c, hazards=without(c.hazards, whole)), drift(c, plan.last_applied))
        for c in ordered
    ]
    # Two kinds of object may share an identity (a table and its row type).
    containers = {(c.kind, c.object): node for c, node in zip(ordered, nodes, strict=True)}
    forest: dict[str | None, list[Node]] = {}
    for change, node in zip(ordered, nodes, strict=True):
        roots = forest.setdefault(change.schema, [])
        if change.container is None:
            roots.append(node)
            continue
        kind = change.container_kind or "table"
        container = containers.get((kind, change.container))
        if container is None:
            container = Node(kind, _bare(change.container, change.schema), None)
            containers[kind, change.container] = container
            roots.append(container)
        container.children.append(node)
    return forest


def _name(change: PlannedChange) -> str:
    """The identity without what stands above it in the tree ("c" for s.t.c, "k" for k on s.t), "a → b" for renames."""
    name = _own_name(change)
    return " ".join([name, *change.detail]) if change.operation == "rename" else name


def _own_name(change: PlannedChange) -> str:
    if change.container is not None:
        inside = change.object.removeprefix(f"{change.container}.").removesuffix(f" on {change.container}")
        if inside != change.object:
            return inside
    return _bare(change.object, change.schema)


def _bare(identity: str, schema: str | None) -> str:
    return identity.removeprefix(f"{quote_ident(schema)}.") if schema else identity


def _level(nodes: Sequence[Node], indent: int, width: int) -> Iterator[Text]:
    kinds = max((len(n.kind) for n in nodes), default=0)
    detailed = [len(visible(n.name)) for n in nodes if _details(n)]
    names = min(max(detailed, default=0), width // 3)
    for node in nodes:
        yield from _lines(node, indent, kinds, names, width)


def _lines(node: Node, indent: int, kinds: int, names: int, width: int) -> Iterator[Text]:
    symbol, style = SYMBOLS[node.operation]
    left = Text.assemble(
        " " * indent, (symbol, style), f" {node.kind:{kinds}}  ", (visible(node.name), "bold")
    )
    under = indent + 2 + kinds + 2
    source = Text(visible(str(node.change.source)), "dim") if node.change and node.change.source else Text()
    hazards = [Text(hazard_text(h), HAZARD) for h in node.hazards]
    right = hazards.pop(0) if hazards and not source.plain else source
    details = _details(node)
    below = under + 2
    if details:
        column = under + max(names, len(visible(node.name))) + 2
        if column + len(details[0]) + 2 + right.cell_len <= width:
            left.append(" " * (column - left.cell_len) + details.pop(0))
            below = column
    yield from aligned(left, right, width, under)
    for detail in details:
        for line in textwrap.wrap(
            detail, max(width - below, 30), break_long_words=False, break_on_hyphens=False
        ):
            yield Text(" " * below + line)
    for hazard in hazards:
        yield Text.assemble(" " * (under + 2), hazard)
    yield from _level(node.children, indent + 4, width)


def _details(node: Node) -> list[str]:
    """What is said below or beside the name; that of a rename holds it."""
    said = node.change.detail if node.change and node.operation != "rename" else ()
    return [*map(visible, said), *([node.drift] if node.drift else [])]


def drift(change: PlannedChange, last: LastRun | None) -> str | None:
    """What is to be said of a change that did not come from the files alone."""
    if last is None or change.origin not in ("live", "both"):
        return None
    where = "live" if change.origin == "live" else "in the files and live"
    return f"changed {where} since {last.day}, history {last.history}"


def counted(number: int, noun: str) -> str:
    """The number with its noun in singular or plural."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"
