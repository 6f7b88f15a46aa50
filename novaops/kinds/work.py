"""What statements do with all rows of a relation while others wait for their locks; not a kind itself."""

from __future__ import annotations

from dataclasses import dataclass

EXCLUSIVE = "ACCESS EXCLUSIVE"
REWRITE = "rewrite"


@dataclass(frozen=True, slots=True)
class Work:
    """`does` something with the rows of `relation` (an identity), and of its children, under `lock`.

    `hazard` is rewrite, long-scan or offline. How long that takes is a matter of size, of which the
    kinds know nothing.
    """

    hazard: str
    relation: str
    does: str
    lock: str = EXCLUSIVE
    index: str | None = None
    """The index of the relation that it is about, where it is not about the rows."""


def rewrite(relation: str, index: str | None = None) -> Work:
    """Writes the relation, or its index, anew."""
    return Work(REWRITE, relation, "rewrites", index=index)


def scan(relation: str, lock: str = EXCLUSIVE) -> Work:
    """Reads all rows."""
    return Work("long-scan", relation, "reads", lock)


def offline(relation: str, does: str, lock: str = EXCLUSIVE) -> Work:
    """What PostgreSQL has no other form for."""
    return Work("offline", relation, does, lock)
