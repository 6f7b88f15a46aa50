"""Divides statements into transactions, with the commits that PostgreSQL demands between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def transactions(units: Iterable[Sequence[Written]], room: int) -> Transactions:
    """As few as possible; a transaction keeps a lock on all that it touched, and may hold `room` of them.

    A unit is not divided for want of room. What it holds needs a commit, or a transaction of its own, all the same.
    """
    found: list[int | None] = []
    current, locks, full, open_ = 0, 0, 0, False
    for unit in units:
        if open_ and locks + sum(each.locks for each in unit) > room and _joins(unit):
            full, open_ = full + 1, False
        for each in unit:
            placement = each.step.placement
            if placement is Placement.ALONE:
                found.append(None)
                open_ = False
                continue
            if not open_ or placement is Placement.APART:
                current, locks = current + 1, 0
            found.append(current)
            locks += each.locks
            open_ = placement is Placement.TRANSACTION
    return Transactions(tuple(found), full)


def _joins(unit: Sequence[Written]) -> bool:
    """Whether its first statement would go on with the transaction that is open."""
    return bool(unit) and unit[0].step.placement is Placement.TRANSACTION
