"""The modes in which tables are locked, as `pg_locks.mode` writes them (documentation, section 13.3.1)."""

from __future__ import annotations

import re

STRENGTH = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""From the weakest to the strongest."""
USE = STRENGTH[:3]
"""What SELECT, INSERT, UPDATE and DELETE take."""
STRONGEST = STRENGTH[-1]


def strongest(modes: list[str]) -> str:
    """The strongest of several modes."""
    return max(modes, key=STRENGTH.index)


def words(mode: str) -> str:
    """The mode as LOCK TABLE has it: "ACCESS EXCLUSIVE"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()
