"""How long a plan may keep others waiting for locks, and in which order it takes them.

Whoever waits for a lock makes all wait who come after and want a conflicting one, and keeps what it
has. `lock_timeout` counts for every lock anew (documentation, section 19.11), so it bounds none of
that for a transaction of many tables. Therefore one attempt has a deadline. What it will lock is
locked first, the strongest modes in one LOCK TABLE whose `statement_timeout` is what is left of
the attempt; what LOCK TABLE does not take (views, sequences, indexes, tables of others) may be
waited for as long as is still left then. When the time is up everything is released, and after a pause
there is another attempt.

Statements that are `patient` lock nobody out, not even those who come while they wait: their mode
conflicts with none of those that reading and writing take. They wait as long as it takes.
"""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import errors

from novaops.db.lock_modes import STRENGTH, STRONGEST, USE, strongest, words
from novaops.planning.plan import Statement

TRIES = 5
LEAST = 0.05
"""Seconds that a statement may wait in any case for what was not locked ahead."""
# LOCK TABLE is for tables and for those who may write them (src/backend/commands/lockcmds.c); what the
# transaction will make is not there yet, and nobody else knows it.
LOCKABLE = """
SELECT name FROM unnest(%s::text[]) AS name
JOIN pg_catalog.pg_class c ON c.oid = to_regclass(name)
WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
"""


def patient(statements: Sequence[Statement]) -> bool:
    """Whether the statements may wait for their locks as long as it takes."""
    return all(statement.patient for statement in statements)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a transaction will lock: relations by name, each with the strongest mode."""

    modes: Mapping[str, str]
    only: bool
    """Whether children and partitions are not meant with their parents."""


def wanted_by(statements: Iterable[Statement], seen: bool) -> Wanted:
    """What the rehearsal has seen; without one, all that is known is which tables are changed."""
    found: dict[str, list[str]] = defaultdict(list)
    for statement in statements:
        for guard in statement.guards:
            if guard.lock is not None:
                found[guard.lock].append(STRONGEST)
        if not seen and statement.table is not None and not statement.patient:
            found[statement.table].append(STRONGEST)
        for lock in statement.locks if seen else ():
            name, _, mode = lock.rpartition(" ")
            found[name].append(mode)
    return Wanted({name: strongest(modes) for name, modes in found.items()}, only=seen)


def pause(attempt: int) -> None:
    """Leave room for those who waited; no two who try at once come back at once."""
    time.sleep(random.uniform(0.1, 0.5) * attempt)  # noqa: S311


class Attempt:
    """One try at a transaction, in which everybody together is kept waiting for `timeout` at most.

    The time starts with the first statement that others may feel; what is only made before keeps nobody
    waiting. `first` is the relation that could not be had last time: nothing else is
    held then while it is waited for.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        timeout: timedelta,
        wanted: Wanted,
        first: str | None = None,
    ) -> None:
        self._connection = connection
        self._timeout = timeout.total_seconds()
        self._wanted = wanted
        self._first = first
        self._deadline: float | None = None

    def lock_before(self, statement: Statement) -> None:
        """Lock all that the transaction wants, once a statement wants any of it."""
        if _felt(statement, self._wanted.only):
            self.lock()

    def lock(self) -> None:
        """Lock all that the transaction wants, unless it is; raises `LockNotAvailable` when the time is up."""
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self._timeout
        names = [name for name, mode in self._wanted.modes.items() if mode not in USE]
        there = {name: self._wanted.modes[name] for (name,) in self._connection.execute(LOCKABLE, [names])}
        if self._first is not None and self._first in there:
            self._take([self._first], there[self._first])
        for mode in reversed(STRENGTH):
            if same := sorted(name for name in there if there[name] == mode):
                self._take(same, mode)

    def execute(self, sql: str) -> None:
        """Run a statement that may have more to lock."""
        self._connection.execute(f"SET LOCAL lock_timeout = {self._left(LEAST)}; {sql}")

    def _take(self, names: Sequence[str], mode: str) -> None:
        tables = ", ".join(f"{'ONLY ' * self._wanted.only}{name}" for name in names)
        left = self._left(0.001)
        try:
            # In one message each statement has the timeout for itself (documentation, statement_timeout).
            self._connection.execute(
                f"SET LOCAL lock_timeout = {left}; SET LOCAL statement_timeout = {left};"
                f"LOCK TABLE {tables} IN {words(mode)} MODE; SET LOCAL statement_timeout = 0"
            )
        except errors.QueryCanceled as error:
            if self._deadline is not None and time.monotonic() < self._deadline:
                raise
            raise errors.LockNotAvailable("canceling statement due to lock timeout") from error

    def _left(self, least: float) -> int:
        """Milliseconds until the deadline; all of them as long as nobody waits."""
        left = self._timeout if self._deadline is None else self._deadline - time.monotonic()
        return math.ceil(max(left, least) * 1000)


def _felt(statement: Statement, seen: bool) -> bool:
    """Whether others feel what the statement locks; what it makes is not among it."""
    modes = wanted_by([statement], seen).modes.values()
    return any(mode not in USE for mode in modes) or not (seen or statement.operation == "create")
