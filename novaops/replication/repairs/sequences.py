"""Sequences of the target that stand behind the keys that were copied: the next insert there would fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import columns


@dataclass(frozen=True, slots=True)
class StaleSequence:
    """A sequence, and the highest value of the column that takes its values."""

    table: ReplicatedTable
    column: str
    sequence: str
    upcoming: int
    """The value that it would give next."""
    highest: int
    following: int
    """The first value after `highest` that it may give."""


def stale(connection: psycopg.Connection[Any], replication: Replication) -> tuple[StaleSequence, ...]:
    """The sequences of the replicated tables that would give a value that is there."""
    return tuple(_stale(connection, replication))


def advance(connection: psycopg.Connection[Any], replication: Replication) -> tuple[StaleSequence, ...]:
    """Put them past the keys that are there; returns those that were behind."""
    found = stale(connection, replication)
    for each in found:
        # Never back, should somebody have taken values meanwhile.
        connection.execute(
            "SELECT setval(%(sequence)s, greatest(%(value)s, coalesce(pg_sequence_last_value(%(sequence)s), %(value)s)),"
            " coalesce(pg_sequence_last_value(%(sequence)s) >= %(value)s, false))",
            {"sequence": each.sequence, "value": each.following},
        )
    return found


def _stale(connection: psycopg.Connection[Any], replication: Replication) -> Iterator[StaleSequence]:
    described = columns(connection, replication.tables)
    for table in replication.tables:
        for column in described.get((table.schema, table.name), {}).values():
            if column.sequence is None:
                continue
            # The name is quoted already (facts/columns.sql).
            row = connection.execute(
                SQL(
                    "SELECT s.last_value, s.is_called, p.seqincrement FROM {} AS s, pg_catalog.pg_sequence AS p"
                    " WHERE p.seqrelid = s.tableoid"
                ).format(SQL(column.sequence))
            ).fetchone()
            if row is None or row[2] <= 0:
                continue
            upcoming = row[0] + row[2] if row[1] else row[0]
            highest = connection.execute(
                SQL("SELECT max({}) FROM {}").format(
                    Identifier(column.name), Identifier(table.schema, table.name)
                )
            ).fetchone()
            if highest is None or highest[0] is None:
                continue
            if upcoming <= highest[0]:
                following = upcoming + ((highest[0] - upcoming) // row[2] + 1) * row[2]
                yield StaleSequence(table, column.name, column.sequence, upcoming, highest[0], following)
