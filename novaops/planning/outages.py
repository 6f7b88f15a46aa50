"""How long the statements of a plan would keep others from tables that are not small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

import psycopg

from novaops.db.identifiers import quote_literal
from novaops.kinds.work import Work, rewrite
from novaops.planning.draft import Draft
from novaops.planning.hazards import hazard
from novaops.planning.live_data import ask
from novaops.planning.plan import Hazard, Plan, Statement
from novaops.sizes import format_size

SAFE_BELOW = 64 * 1024
"""Bytes of rows below which a table is done with before anybody notices."""
KEEPS_OTHERS_OUT = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
"""Lock modes that conflict with ROW EXCLUSIVE, which every writer takes (documentation, "Table-Level Locks")."""
SPEED = {"rewrite": 40, "long-scan": 200, "offline": 40}
"""MB a second that an estimate assumes: what a server with one ordinary disk does at least."""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a relation and of its children: of the rows (heap and TOAST), and with all indexes."""

    rows: int
    total: int


@dataclass(slots=True)
class Sizes:
    """The sizes of live relations, each asked for once."""

    connection: psycopg.Connection[Any]
    known: dict[str, Size | None] = field(default_factory=dict)

    def of(self, relation: str) -> Size | None:
        """None where it could not be told."""
        if relation not in self.known:
            query = files("novaops.planning").joinpath("relation_size.sql").read_text()
            row = ask(self.connection, query.replace(":relation", quote_literal(relation)))
            self.known[relation] = Size(*row) if row else None
        return self.known[relation]

    def matters(self, relation: str, safe_below: int) -> bool:
        """Whether it has rows, and at least `safe_below` bytes of them; one that cannot be asked does."""
        size = self.of(relation)
        if size is not None and size.rows < safe_below:
            return False
        row = ask(self.connection, f"SELECT EXISTS (SELECT FROM {relation})")
        return row is None or bool(row[0])


def outages(made: Draft, sizes: Sizes | None, safe_below: int) -> list[tuple[Hazard, ...]]:
    """For each statement, a hazard for its work on a relation of at least `safe_below` bytes.

    Without a connection to ask for sizes every such work is a hazard.
    """
    return [tuple(dict.fromkeys(_told(each.step.work, sizes, safe_below))) for each in made.written]


def _told(work: Iterable[Work], sizes: Sizes | None, safe_below: int) -> Iterator[Hazard]:
    for each in work:
        if sizes is None:
            yield hazard(each.hazard, each.relation, _message(each, None))
        elif sizes.matters(each.relation, safe_below):
            yield hazard(each.hazard, each.relation, _message(each, sizes.of(each.index or each.relation)))


def _message(work: Work, size: Size | None) -> str:
    what = work.index or work.relation
    if size is None:
        return f"{work.does} {what} under {work.lock}"
    amount = size.rows if work.hazard == "long-scan" else size.total
    return f"{work.does} {what}, {format_size(amount)}, under {work.lock}: {estimate(work.hazard, amount)}"


def observed(plan: Plan, sizes: Sizes, safe_below: int) -> Plan:
    """The rehearsed plan with what only the server could tell: other rewrites, and locks that are held meanwhile."""
    made = _with(plan, [_unforeseen(each, sizes, safe_below) for each in plan.statements])
    return _with(made, [_held(made, number, sizes, safe_below) for number in range(len(made.statements))])


def _with(plan: Plan, told: Iterable[Iterable[Hazard]]) -> Plan:
    found = [tuple(hazards) for hazards in told]
    statements = zip(plan.statements, found, strict=True)
    return replace(
        plan,
        statements=tuple(replace(s, hazards=(*s.hazards, *hazards)) for s, hazards in statements),
        blocked=(*plan.blocked, *(h for hazards in found for h in hazards)),
    )


def _unforeseen(statement: Statement, sizes: Sizes, safe_below: int) -> Iterator[Hazard]:
    """Hazards for rewrites that the kind of the object did not know of."""
    if any(h.hazard == "rewrite" for h in statement.hazards):
        return
    for relation in statement.rewrites:
        if sizes.matters(relation, safe_below):
            yield hazard("rewrite", relation, _message(rewrite(relation), sizes.of(relation)))


def _held(plan: Plan, number: int, sizes: Sizes, safe_below: int) -> Iterator[Hazard]:
    """Hazards for what earlier statements of the transaction have locked, if this one takes long."""
    statement = plan.statements[number]
    working = {h.object for h in statement.hazards if h.hazard in SPEED}
    if not working or statement.transaction is None:
        return
    earlier = [s for s in plan.statements[:number] if s.transaction == statement.transaction]
    for relation in dict.fromkeys(r for s in earlier for r in _locked(s)):
        if relation not in working and sizes.matters(relation, safe_below):
            message = f"stays locked while statement {number + 1} is at work on {', '.join(sorted(working))}"
            yield hazard("table-lock", relation, message)


def _locked(statement: Statement) -> Iterator[str]:
    """The relations that nobody else can write, or read, until the statement's transaction ends."""
    for lock in statement.locks:
        relation, _, mode = lock.rpartition(" ")
        if mode in KEEPS_OTHERS_OUT:
            yield relation


def estimate(name: str, amount: int) -> str:
    """How long it takes to work through that many bytes, and what that rests on."""
    speed = SPEED[name]
    seconds = amount / (speed * 1024 * 1024)
    duration = "less than a second" if seconds < 1 else f"about {_duration(seconds)}"
    return f"{duration} at {speed} MB/s"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
