"""Divides statements into transactions, with the commits that PostgreSQL demands between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from novaops.kinds.kind import Placement
from novaops.planning.statements import Written


@dataclass(frozen=True, slots=True)
class Transactions:
    """The number of the transaction of each statement, from 1; None outside of any.

    `full` tells how many of them end only because the lock table has no room for more.
    """

    numbers: tuple[int | None, ...]
    full: int = 0


def transactions(written: Iterable[Written], room: int) -> Transactions:
    """As few as possible; a transaction keeps a lock on all that it touched, and may hold `room` of them."""
    found: list[int | None] = []
    current, locks, full, open_ = 0, 0, 0, False
    for each in written:
        placement = each.step.placement
        if placement is Placement.ALONE:
            found.append(None)
            open_ = False
            continue
        crowded = open_ and locks + each.locks > room
        if not open_ or crowded or placement is Placement.APART:
            full += crowded and placement is not Placement.APART
            current, locks = current + 1, 0
        found.append(current)
        locks += each.locks
        open_ = placement is Placement.TRANSACTION
    return Transactions(tuple(found), full)
