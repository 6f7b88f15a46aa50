"""Replication slots (`pg_replication_slots`), of the whole cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.replication.facts.queries import rows


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot."""

    name: str
    plugin: str | None
    """None: a physical one."""
    database: str | None
    active_pid: int | None
    wal_status: str | None
    """`reserved`, `extended`, `unreserved` or `lost`; None without any WAL kept back."""
    invalidation_reason: str | None
    restart_lsn: str | None
    confirmed_flush_lsn: str | None
    behind: int | None
    """Bytes of WAL that the subscriber has not confirmed."""
    retained: int | None
    """Bytes of WAL that cannot be removed for its sake."""
    safe_wal_size: int | None
    """Bytes of WAL until the slot may be lost; None without a limit."""
    temporary: bool

    @property
    def lost(self) -> bool:
        """Whether WAL that it needs is gone: nothing comes through it any more."""
        return self.wal_status == "lost"


def slots(connection: psycopg.Connection[Any]) -> dict[str, Slot]:
    """All slots of the cluster by name; each name is there once, whatever the database."""
    return {slot.name: slot for slot in rows(connection, "slots", Slot)}
