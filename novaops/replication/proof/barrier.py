"""A barrier: whatever the source committed before it has been applied on the target."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair

PAUSE = 0.01
LONGEST_PAUSE = 0.25
# The commit must reach the disk at once: the walsender sends what is flushed (documentation, synchronous_commit).
EMIT = """
BEGIN;
SET LOCAL synchronous_commit = 'local';
SELECT pg_logical_emit_message(true, 'novaops', 'barrier');
COMMIT
"""
PASSED = """
SELECT confirmed_flush_lsn >= %(lsn)s::pg_lsn,
       pg_wal_lsn_diff(%(lsn)s::pg_lsn, confirmed_flush_lsn)::bigint
FROM pg_replication_slots WHERE slot_name = %(slot)s
"""


@dataclass(frozen=True, slots=True)
class Barrier:
    """How far a barrier got."""

    lsn: str
    passed: bool
    seconds: float
    """From the commit on the source until the target had confirmed it, or until it was given up."""
    missing: int | None
    """Bytes of WAL that the target has not confirmed; None where the slot does not exist."""


def emit(pair: Pair) -> str:
    """Write the message on the source; returns the LSN that the target has to confirm."""
    connection = pair.source.connection
    connection.execute(EMIT)
    row = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    assert row is not None  # noqa: S101
    return str(row[0])


def barrier(pair: Pair, replication: Replication, limit: timedelta = timedelta(seconds=30)) -> Barrier:
    """Write a barrier and wait until it has passed, at most `limit`.

    `confirmed_flush_lsn` of the slot is what the subscriber has written to its disk; the apply worker
    confirms the end of a transaction that holds nothing of the publication, too.
    """
    lsn = emit(pair)
    begun = time.monotonic()
    deadline = begun + limit.total_seconds()
    pause = PAUSE
    while True:
        row = pair.source.connection.execute(PASSED, {"lsn": lsn, "slot": replication.slot}).fetchone()
        now = time.monotonic()
        if row is None or row[0] or now >= deadline:
            missing = None if row is None or row[1] is None else max(row[1], 0)
            return Barrier(lsn, bool(row and row[0]), now - begun, missing)
        time.sleep(min(pause, max(deadline - now, 0)))
        pause = min(2 * pause, LONGEST_PAUSE)
