"""One novaops at a time per database: a session advisory lock, polled.

Waiting in `pg_advisory_lock()` would hold a snapshot while it waits, for which a CREATE INDEX
CONCURRENTLY of the holder waits in turn: a deadlock. So the lock is tried, again and again, each
time in a transaction of its own that ends at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from psycopg.pq import TransactionStatus

from novaops.errors import NovaopsError

# The two integers of the key: "nova" in ASCII, and which of our locks. PostgreSQL adds the database.
CLASS = int.from_bytes(b"nova")
CHANGES = 1
POLL_SECONDS = 0.25
# pg_locks.objsubid is 2 for the keys of two integers.
HOLDER = """
SELECT a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), host(a.client_addr),
       coalesce(a.state, ''), clock_timestamp() - a.backend_start
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = %s AND l.objid = %s
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """The session that has the lock."""

    pid: int
    user: str
    application: str
    address: str | None
    """None on a Unix socket, and where the role may not see other sessions."""
    state: str
    connected: timedelta

    def __str__(self) -> str:
        described = [self.user, self.application, self.address or "", self.state]
        since = timedelta(seconds=int(self.connected.total_seconds()))
        return f"pid {self.pid} ({', '.join(filter(None, [*described, f'connected for {since}']))})"


@contextmanager
def advisory_lock(
    connection: psycopg.Connection,
    *,
    wait: timedelta = timedelta(0),
    lock: int = CHANGES,
    waiting: Callable[[Holder], None] | None = None,
) -> Iterator[None]:
    """Hold the lock on the connection's database while the block runs.

    `waiting` is told once who has it, before the first pause. PostgreSQL releases the lock by itself
    when the session ends.
    """
    if not connection.autocommit or connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("the lock must be taken outside a transaction, on an autocommit connection")
    _acquire(connection, lock, wait, waiting)
    try:
        yield
    finally:
        # Within a failed transaction, or when the session is gone, there is nothing to release by hand.
        with suppress(psycopg.Error):
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", [CLASS, lock])


def holder(connection: psycopg.Connection, lock: int = CHANGES) -> Holder | None:
    """Who has the lock on the connection's database."""
    row = connection.execute(HOLDER, [CLASS, lock]).fetchone()
    return Holder(*row) if row else None


def _acquire(
    connection: psycopg.Connection, lock: int, wait: timedelta, waiting: Callable[[Holder], None] | None
) -> None:
    deadline = time.monotonic() + wait.total_seconds()
    while not _try(connection, lock):
        found = holder(connection, lock)
        if time.monotonic() >= deadline:
            raise _refusal(connection, found)
        if found is not None and waiting is not None:
            waiting(found)
            waiting = None
        time.sleep(min(POLL_SECONDS, max(deadline - time.monotonic(), 0)))


def _try(connection: psycopg.Connection, lock: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", [CLASS, lock]).fetchone()
    return row is not None and bool(row[0])


def _refusal(connection: psycopg.Connection, found: Holder | None) -> NovaopsError:
    hint = "wait for it with --lock-wait 5min"
    if found is not None:
        hint += f"; if that session is abandoned: SELECT pg_terminate_backend({found.pid})"
    return NovaopsError(
        f"another novaops is changing {connection.info.dbname}",
        detail=f"the lock is held by {found}" if found else None,
        hint=hint,
    )
