"""What both servers say about a replication: publication, slot, subscription, workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg

from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair

READY = "r"
# pg_subscription_rel.srsubstate (documentation, "pg_subscription_rel").
STATES: Mapping[str, str] = {
    "i": "not begun",
    "d": "being copied",
    "f": "copied",
    "s": "catching up",
    "r": "ready",
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that a worker of the subscription waits for."""

    worker: int
    pid: int
    user: str
    application: str
    state: str
    seconds: float
    """How long its transaction has run."""
    waiting_for: str
    """The relation, or the kind of lock."""


@dataclass(frozen=True, slots=True)
class TableCopy:
    """How far the initial copy of a table is."""

    schema: str
    name: str
    state: str
    """`pg_subscription_rel.srsubstate`."""
    worker: int | None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}".removeprefix("public.")


@dataclass(frozen=True, slots=True)
class Subscription:
    """The subscription and its apply worker."""

    oid: int
    enabled: bool
    slot: str | None
    publications: list[str]
    disable_on_error: bool
    worker: int | None
    wait_event_type: str | None
    wait_event: str | None
    silent: float | None
    """Seconds since the source was last heard."""
    received_lsn: str | None
    apply_errors: int
    sync_errors: int
    origin_lsn: str | None
    """The end of the last transaction of the source that was applied."""
    tables: tuple[TableCopy, ...]
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """The slot on the source."""

    plugin: str | None
    database: str | None
    active: bool
    active_pid: int | None
    wal_status: str | None
    """reserved, extended, unreserved or lost (documentation, "pg_replication_slots")."""
    lag_bytes: int | None
    """WAL that the subscriber has not confirmed."""
    retained_bytes: int | None
    """WAL that the source keeps for it."""
    safe_bytes: int | None
    """What may still be written before the slot is lost; None without a cap."""
    lag_seconds: float | None
    """As the walsender measures it; None while nothing is under way."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers for logical replication of the target's server."""

    running: int
    most: int
    processes: int
    """max_worker_processes, which all kinds of workers share."""
    copying: int
    """max_sync_workers_per_subscription."""


@dataclass(frozen=True, slots=True)
class Published:
    """A table of the publication."""

    schema: str
    name: str
    row_filter: str | None
    columns: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class State:
    """Everything at one moment."""

    publication: tuple[Published, ...] | None
    slot: Slot | None
    subscription: Subscription | None
    workers: Workers


@cache
def query(name: str) -> str:
    """The text of a .sql file beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def read_state(pair: Pair, replication: Replication) -> State:
    """Ask both servers."""
    source, target = pair.source.connection, pair.target.connection
    workers = target.execute(query("workers.sql")).fetchone()
    assert workers is not None  # noqa: S101
    return State(
        read_publication(source, replication.publication),
        read_slot(source, replication.slot),
        read_subscription(target, replication.subscription),
        Workers(*workers),
    )


def read_publication(source: psycopg.Connection[Any], name: str) -> tuple[Published, ...] | None:
    """The tables that it sends; None where there is no such publication."""
    if not source.execute("SELECT FROM pg_publication WHERE pubname = %s", [name]).rowcount:
        return None
    rows = source.execute(query("published.sql"), {"publication": name}).fetchall()
    return tuple(Published(s, n, f, tuple(columns) if columns else None) for s, n, f, columns in rows)


def read_slot(source: psycopg.Connection[Any], name: str) -> Slot | None:
    """The slot; None where there is none of the name."""
    row = source.execute(query("slot.sql"), {"slot": name}).fetchone()
    return Slot(*row) if row else None


def read_subscription(target: psycopg.Connection[Any], name: str) -> Subscription | None:
    """The subscription of the connection's database; None where there is none of the name."""
    row = target.execute(query("subscription.sql"), {"subscription": name}).fetchone()
    if row is None:
        return None
    oid = row[0]
    tables = target.execute(query("tables.sql"), {"oid": oid}).fetchall()
    blockers = target.execute(query("blockers.sql"), {"oid": oid}).fetchall()
    copies = tuple(TableCopy(*table) for table in tables)
    return Subscription(*row, copies, tuple(Blocker(*blocker) for blocker in blockers))
