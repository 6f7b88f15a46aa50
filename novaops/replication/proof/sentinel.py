"""The whole way of a row: written on the source, applied on the target, heard by a listener there.

The row is inserted and deleted in one transaction of the source, so that no query ever sees it; the worker applies
both, and the target's triggers fire for the insert. On the source they stay silent where the
role may say so (`session_replication_role`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import Notify, errors
from psycopg.sql import SQL, Identifier

from novaops.db.connection import connect
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import triggers
from novaops.replication.pair import Pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.proof.rows import Rows, reader, shape
from novaops.replication.proof.sentinel_row import TEXT, NoSentinel, carries, delete, insert

LIMIT = timedelta(seconds=10)
SOON = 1.0
"""Seconds in which the row is usually heard."""
# The constant in pg_notify('channel', …), and the name in NOTIFY channel: in a body there is nothing else to go by.
PG_NOTIFY = re.compile(r"pg_notify\s*\(\s*'((?:[^']|'')+)'", re.IGNORECASE)
NOTIFY = re.compile(r"""\bNOTIFY\s+("(?:[^"]|"")+"|[a-z_][\w$]*)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentinel:
    """What became of the row of one table."""

    table: ReplicatedTable
    heard: bool | None
    """None: it could not be tried, and `reason` says why."""
    seconds: float | None = None
    """From the commit on the source until the listener on the target heard of it."""
    channels: tuple[str, ...] = ()
    reason: str | None = None


def sentinels(pair: Pair, replication: Replication, limit: timedelta = LIMIT) -> tuple[Sentinel, ...]:
    """Send a row of every table on its way."""
    with reader(pair.source.endpoint) as source, connect(pair.target.endpoint.conninfo()) as target:
        return tuple(
            _sentinel(pair, source, target, replication, table, limit) for table in replication.tables
        )


def channels(target: psycopg.Connection[Any], table: ReplicatedTable) -> tuple[str, ...]:
    """Where the target's triggers send notifications for rows that the worker inserts."""
    firing = [
        t
        for t in triggers(target, [table])
        if t.row and "insert" in t.operations and t.fires_for_replicated_rows
    ]
    return tuple(dict.fromkeys(name for trigger in firing for name in notified(trigger.source)))


def notified(source: str) -> list[str]:
    """The channels that the body of a function names."""
    found = [match.replace("''", "'") for match in PG_NOTIFY.findall(source)]
    for name in NOTIFY.findall(source):
        found.append(name[1:-1].replace('""', '"') if name.startswith('"') else name.lower())
    return found


def _sentinel(
    pair: Pair,
    source: psycopg.Connection[Any],
    target: psycopg.Connection[Any],
    replication: Replication,
    table: ReplicatedTable,
    limit: timedelta,
) -> Sentinel:
    where = (replication.channel,) if replication.channel else channels(target, table)
    if not where:
        return Sentinel(table, None, reason="no trigger of the target notifies of rows that are replicated")
    rows = Rows(source, shape(source, table))
    if not carries(rows.shape):
        return Sentinel(
            table, None, channels=where, reason="without a key the row could not be deleted again"
        )
    for name in where:
        target.execute(SQL("LISTEN {}").format(Identifier(name)))
    try:
        key, sent = _send(source, rows, table.sentinel)
        heard = _hear(target, where, key, SOON)
        if heard is None:
            # Once a barrier behind it has passed it is applied, and was heard or never will be.
            barrier(pair, replication, limit)
            heard = _hear(target, where, key, SOON)
    except NoSentinel as refused:
        return Sentinel(
            table, None, channels=where, reason=f"the table takes no row made for the purpose: {refused}"
        )
    finally:
        target.execute("UNLISTEN *")
    return Sentinel(table, heard is not None, None if heard is None else heard - sent, where)


def _send(
    source: psycopg.Connection[Any], rows: Rows, statement: str | None
) -> tuple[tuple[str, ...], float]:
    """Insert and delete the row; returns its key and when the commit was sent."""
    with source.transaction():
        with suppress(errors.InsufficientPrivilege), source.transaction():
            source.execute("SET LOCAL session_replication_role = replica")
        source.execute("SET LOCAL synchronous_commit = 'local'")
        key = insert(source, rows, statement)
        delete(source, rows, key)
        sent = time.monotonic()
    return key, sent


def _hear(
    target: psycopg.Connection[Any], where: Sequence[str], key: tuple[str, ...], seconds: float
) -> float | None:
    """When the notification arrived; one that names the row, or another if none does."""
    other: float | None = None
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        for notice in target.notifies(timeout=left, stop_after=1):
            arrived = time.monotonic()
            if notice.channel in where and _names(notice, key):
                return arrived
            other = other or (arrived if notice.channel in where else None)
    return other


def _names(notice: Notify, key: tuple[str, ...]) -> bool:
    words = set(re.split(r"[^\w.-]+", notice.payload))
    return all(part in words or part in notice.payload.split(",") for part in key) or TEXT in notice.payload
