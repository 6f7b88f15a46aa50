"""The two databases of a replication, connected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from novaops.db.connection import ServerIdentity, connect, identify
from novaops.replication.declaration import Endpoint, Replication

LOCK_TIMEOUT = timedelta(seconds=3)
"""How long a lock is waited for on either side; whoever wants the table meanwhile waits behind us."""


@dataclass(frozen=True, slots=True)
class Side:
    """One database: a direct connection in autocommit mode, and what it has reached."""

    endpoint: Endpoint
    connection: psycopg.Connection[Any]
    identity: ServerIdentity

    def __str__(self) -> str:
        return str(self.identity)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, and whether one running server has them."""

    source: Side
    target: Side
    same_server: bool

    @property
    def same_database(self) -> bool:
        """Whether both names lead to one database: an alias, another address of the same host."""
        return self.same_server and self.source.identity.database_oid == self.target.identity.database_oid

    def reversed(self) -> Pair:
        """The same sides, the other way round."""
        return Pair(self.target, self.source, self.same_server)


@contextmanager
def open_pair(replication: Replication) -> Iterator[Pair]:
    """Connect to both sides; raises `NovaopsError` for a pooler, a standby, a server that is too old."""
    with open_side(replication.source) as source, open_side(replication.target) as target:
        # What cannot be told apart is taken for one server: a slot made first is right for two as well,
        # and CREATE SUBSCRIPTION that makes its own hangs for ever on one.
        same = source.identity.same_server(target.identity) is not False
        yield Pair(source, target, same)


@contextmanager
def open_side(endpoint: Endpoint) -> Iterator[Side]:
    """Connect to one side alone."""
    with connect(endpoint.conninfo()) as connection:
        yield Side(endpoint, connection, identify(connection))


def bound_lock_waits(connection: psycopg.Connection[Any], timeout: timedelta = LOCK_TIMEOUT) -> None:
    """Wait for no lock longer than that, to the end of the transaction."""
    milliseconds = f"{timeout / timedelta(milliseconds=1):.0f}ms"
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [milliseconds])
