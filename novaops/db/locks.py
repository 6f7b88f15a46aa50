"""Room in the lock table, which all sessions of a server share.

It has space for max_locks_per_transaction × (max_connections + max_prepared_transactions) locks
(documentation, section 19.12). Whoever fills it up makes statements of everybody else fail with
"out of shared memory", so a transaction that takes many locks has to end in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

# Fast-path locks are kept elsewhere (src/backend/storage/lmgr/README, "Fast Path Locking").
_QUERY = """
SELECT current_setting('max_locks_per_transaction')::integer,
    current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer,
    (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT fastpath)
"""


@dataclass(frozen=True, slots=True)
class LockTable:
    """Its size by two settings, and how much of it is taken; the defaults are those of a new server."""

    per_transaction: int = 64
    transactions: int = 100
    taken: int = 0

    @property
    def size(self) -> int:
        return self.per_transaction * self.transactions

    @property
    def room(self) -> int:
        """How many locks one transaction of ours may hold: half of what is free, but a few in any case."""
        return max(self.per_transaction, (self.size - self.taken) // 2)

    def setting_for(self, locks: int) -> int:
        """The max_locks_per_transaction with which that many leave others as much room as they have now."""
        return self.per_transaction - (-locks // self.transactions)


def lock_table(connection: psycopg.Connection[Any]) -> LockTable:
    """The lock table of the connection's server, as it is now."""
    row = connection.execute(_QUERY).fetchone()
    assert row is not None  # noqa: S101
    return LockTable(*row)
