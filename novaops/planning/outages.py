"""How long the statements of a plan would keep others from tables that are not small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.db.identifiers import quote_literal
from novaops.kinds.work import Work
from novaops.planning.draft import Draft
from novaops.planning.hazards import hazard
from novaops.planning.live_data import ask
from novaops.planning.plan import Hazard
from novaops.sizes import format_size

SAFE_BELOW = 64 * 1024
"""Bytes of rows below which a table is done with before anybody notices."""
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


def outages(made: Draft, sizes: Sizes | None, safe_below: int) -> Mapping[Address, tuple[Hazard, ...]]:
    """A hazard for each piece of work on a relation of at least `safe_below` bytes, by the object changed.

    Without a connection to ask for sizes every such work is a hazard.
    """
    found: dict[Address, tuple[Hazard, ...]] = {}
    for written in made.written:
        told = tuple(_told(written.step.work, sizes, safe_below))
        if told:
            found[written.object.address] = (*found.get(written.object.address, ()), *told)
    return {address: tuple(dict.fromkeys(hazards)) for address, hazards in found.items()}


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
