"""Divides statements into transactions, with the commits that PostgreSQL demands between them."""

from __future__ import annotations

from collections.abc import Iterable

from novaops.kinds.kind import Placement
from novaops.planning.statements import Written


def transactions(written: Iterable[Written]) -> list[int | None]:
    """The number of the transaction of each statement, from 1; None outside of any."""
    found: list[int | None] = []
    current, open_ = 0, False
    for each in written:
        match each.step.placement:
            case Placement.ALONE:
                found.append(None)
                open_ = False
            case Placement.APART:
                current += 1
                found.append(current)
                open_ = False
            case placement:
                if not open_:
                    current += 1
                found.append(current)
                open_ = placement is not Placement.COMMIT_AFTER
    return found
