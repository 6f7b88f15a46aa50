"""Divides statements into transactions, with the commits that PostgreSQL demands between them."""

from __future__ import annotations

from collections.abc import Iterable

from novaops.kinds.kind import Placement
from novaops.planning.nodes import kind_of
from novaops.planning.statements import Written

# A transaction keeps a lock on everything it touched. With default settings the whole server has
# room for 64 × 100 (max_locks_per_transaction × max_connections, documentation, section 19.12).
LOCKS = 4000
# A table comes with its TOAST table, the index of that, and often a key.
LOCKS_OF_A_TABLE = 4


def transactions(written: Iterable[Written]) -> list[int | None]:
    """The number of the transaction of each statement, from 1; None outside of any."""
    found: list[int | None] = []
    current, locks, open_ = 0, 0, False
    for each in written:
        placement = each.step.placement
        if placement is Placement.ALONE:
            found.append(None)
            open_ = False
            continue
        if not open_ or placement is Placement.APART or locks > LOCKS:
            current, locks = current + 1, 0
        found.append(current)
        locks += LOCKS_OF_A_TABLE if kind_of(each.object).rows else 1
        open_ = placement is Placement.TRANSACTION
    return found
