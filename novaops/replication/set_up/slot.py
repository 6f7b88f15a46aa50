"""The slot on the source, made by itself and before the subscription.

CREATE SUBSCRIPTION would make it too, but within a transaction of its own, for whose end the slot waits: on one
server for ever. A new slot waits for every transaction of the cluster, of whatever database, that has written and is
still open; who that is, is said meanwhile.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any

import psycopg

from novaops.db.connection import connect
from novaops.durations import in_words
from novaops.errors import NovaopsError
from novaops.progress import Reporter
from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair

POLL = 0.05
SOON = 1.0
"""Seconds after which it is said who is waited for."""


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A session whose open transaction a new slot waits for."""

    pid: int
    user: str
    application: str
    database: str
    state: str
    seconds: float

    def __str__(self) -> str:
        who = ", ".join(filter(None, [self.user, self.application, self.state]))
        for_how_long = in_words(timedelta(seconds=self.seconds))
        return f"pid {self.pid} in {self.database or '?'} ({who}, transaction open for {for_how_long})"


def make_slot(pair: Pair, replication: Replication, reporter: Reporter, wait: timedelta) -> str:
    """Make it, waiting at most `wait` for open transactions; returns the LSN from which it sends."""
    with connect(pair.source.endpoint.conninfo()) as maker, ThreadPoolExecutor(1) as pool:
        pending = pool.submit(_make, maker, replication.slot)
        try:
            return _watched(pair, pending, maker.info.backend_pid, reporter, wait, replication)
        except BaseException:
            # A slot that is not finished goes with the statement (documentation, pg_create_logical_replication_slot).
            maker.cancel_safe()
            raise


def drop_slot(source: psycopg.Connection[Any], name: str) -> None:
    """Drop it if it is there; a walsender that still has it is given a moment to leave."""
    deadline = time.monotonic() + 10
    while True:
        try:
            source.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
                [name],
            )
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL)
        else:
            return


def _make(maker: psycopg.Connection[Any], name: str) -> str:
    row = maker.execute(
        "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput')", [name]
    ).fetchone()
    assert row is not None  # noqa: S101
    return str(row[0])


def _watched(
    pair: Pair,
    pending: Future[str],
    backend: int,
    reporter: Reporter,
    wait: timedelta,
    replication: Replication,
) -> str:
    begun, said = time.monotonic(), ""
    while True:
        try:
            return pending.result(timeout=POLL)
        except TimeoutError:
            if pending.done():
                raise
        waited = time.monotonic() - begun
        if waited < SOON and waited < wait.total_seconds():
            continue
        names = [str(open_) for open_ in waited_for(pair.source.connection, backend)]
        if waited >= wait.total_seconds():
            raise NovaopsError(
                f"the slot {replication.slot} could not be made within {wait.total_seconds():.0f} s",
                detail="a new slot waits for open transactions that have written, of any database of the server: "
                + ("; ".join(names) or "which ones, the role may not see"),
                hint="end them, or wait longer: --wait 10min",
            )
        if (text := "; ".join(names)) and text.split("(")[0] != said:
            said = text.split("(")[0]
            reporter.waiting(f"the slot waits for {text}")


def waited_for(source: psycopg.Connection[Any], backend: int) -> list[OpenTransaction]:
    """Whom the session that makes the slot waits for."""
    sql = files(__package__).joinpath("open_transactions.sql").read_text(encoding="utf-8")
    return [OpenTransaction(*row) for row in source.execute(sql, {"pid": backend}).fetchall()]
