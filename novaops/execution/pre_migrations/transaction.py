"""Recognizes a file that is one transaction as a whole: BEGIN, statements, COMMIT."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from novaops.desired.split import Statement

WORDS = frozenset(["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"])
"""First words of the commands that control transactions (documentation, part VI, "SQL Commands")."""
BEGINNINGS = frozenset([("BEGIN",), ("BEGIN", "WORK"), ("BEGIN", "TRANSACTION"), ("START", "TRANSACTION")])
ENDINGS = frozenset(
    (first, *rest) for first in ("COMMIT", "END") for rest in ((), ("WORK",), ("TRANSACTION",))
)
IN_A_TRANSACTION = frozenset(["LOCAL", "TRANSACTION", "CONSTRAINTS"])
"""Second words of SET commands that have no effect before BEGIN (documentation of SET, SET TRANSACTION, SET CONSTRAINTS)."""


def enclosed(statements: Sequence[Statement]) -> tuple[Statement, ...] | None:
    """Return the statements without BEGIN and COMMIT if these enclose all others, else None.

    Settings of the session may come before BEGIN; they are returned as well.
    """
    before = tuple(takewhile(_sets_session, statements))
    rest = statements[len(before) :]
    if len(rest) < 2 or rest[0].words not in BEGINNINGS or rest[-1].words not in ENDINGS:
        return None
    return (*before, *rest[1:-1])


def _sets_session(statement: Statement) -> bool:
    words = statement.words
    return words[0] in ("SET", "RESET") and IN_A_TRANSACTION.isdisjoint(words[1:2])
