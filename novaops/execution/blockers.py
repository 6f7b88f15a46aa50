"""Who holds the locks that others wait for."""

from __future__ import annotations

from typing import Any

import psycopg

# pg_blocking_pids() answers only while somebody waits, so the oldest transactions with locks on
# relations are named instead, those that a retry will meet again.
HOLDERS = """
SELECT l.relation::regclass::text, a.pid, a.usename, a.state, date_trunc('second', now() - a.xact_start)::text,
       left(regexp_replace(a.query, '\\s+', ' ', 'g'), 60)
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND a.pid <> pg_backend_pid() AND a.datname = current_database()
  AND l.relation >= 16384
ORDER BY a.xact_start
LIMIT 1
"""


def blockers(connection: psycopg.Connection[Any]) -> str | None:
    """One line about the oldest transaction that holds a lock on a relation of this database."""
    row = connection.execute(HOLDERS).fetchone()
    if row is None:
        return None
    relation, pid, user, state, age, query = row
    return f"waiting for a lock; {relation} is held by pid {pid} ({user}, {state} for {age}): {query}"
