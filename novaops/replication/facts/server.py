"""Settings and resources of a server, and what the connected role may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.replication.facts.queries import rows


@dataclass(frozen=True, slots=True)
class Server:
    """Figures are numbers of things, sizes are bytes."""

    wal_level: str
    pending_restart: tuple[str, ...]
    """Settings that are changed in the files and wait for a restart."""
    max_replication_slots: int
    slots: int
    max_wal_senders: int
    senders: int
    max_origins: int
    """`max_active_replication_origins`, before 18 `max_replication_slots`."""
    origins: tuple[str, ...]
    """`pg_replication_origin.roname`; those of subscriptions are `pg_<oid>`."""
    active_origins: int
    """Origins with a state: 16 to 18 count these against the limit (`pg_replication_origin_status`)."""
    max_logical_workers: int
    max_sync_workers: int
    max_worker_processes: int
    logical_workers: int
    other_workers: int
    """Background workers that are not of logical replication: the launcher, parallel queries, extensions."""
    enabled_subscriptions: int
    """In all databases; each wants a worker for as long as it is enabled."""
    max_slot_wal_keep_size: int | None
    """None: a slot keeps back WAL without a limit."""
    superuser: bool
    replication: bool
    bypass_rls: bool
    may_create_subscription: bool
    """A superuser, from 16 on a member of `pg_create_subscription`, who may CREATE in the database."""
    may_set_replication_role: bool
    """Whether it may SET session_replication_role, which a dry apply needs."""
    may_create: bool
    """CREATE in the database, which publications and schemas need."""


def server(connection: psycopg.Connection[Any]) -> Server:
    """The server and role that a connection has reached."""
    (found,) = rows(connection, "server", Server)
    return found
