"""Reading that does not wait for ever: even `pg_get_expr()` takes a lock, which ACCESS EXCLUSIVE keeps waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from novaops.errors import NovaopsError
from novaops.replication.pair import LOCK_TIMEOUT, Pair, Side

HOLDERS = """
SELECT DISTINCT l.pid, c.oid::regclass::text, a.usename::text, a.state
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND c.oid >= 16384
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
ORDER BY l.pid
"""


@contextmanager
def patient(pair: Pair) -> Iterator[None]:
    """Wait for no lock longer than `LOCK_TIMEOUT`; raises `NovaopsError` that names who holds it."""
    sides = (pair.source, pair.target)
    for side in sides:
        side.connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT.total_seconds():.0f}s'")
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise _locked(sides) from error
    finally:
        for side in sides:
            if not side.connection.closed:
                side.connection.execute("SET lock_timeout = 0")


def _locked(sides: tuple[Side, ...]) -> NovaopsError:
    held = [(side, *row) for side in sides for row in side.connection.execute(HOLDERS).fetchall()]
    if not held:
        return NovaopsError(
            "a table was locked, and could not be looked at", hint="run the same command again"
        )
    side, pid, table, user, state = held[0]
    who = ", ".join(filter(None, [user, state]))
    return NovaopsError(
        f"pid {pid}{f' ({who})' if who else ''} holds a lock on {table} of {side}, which keeps readers waiting",
        detail="; ".join(f"{table} of {side}: pid {pid}" for side, pid, table, *_ in held[1:]) or None,
        hint=f"let it end, or SELECT pg_terminate_backend({pid}); then run the same command again",
    )
