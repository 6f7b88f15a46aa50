"""Sequences of the target that stand behind the keys that were copied: the next insert there would fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
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
    last: int | None
    """None: it has given none yet."""
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
    sql = files(__package__).joinpath("sequence.sql").read_text(encoding="utf-8")
    for table in replication.tables:
        for column in described.get((table.schema, table.name), {}).values():
            if column.sequence is None:
                continue
            row = connection.execute(sql, {"sequence": column.sequence}).fetchone()
            if row is None or row[1] <= 0:
                continue
            last, increment, start, *_ = row
            highest = connection.execute(
                SQL("SELECT max({}) FROM {}").format(
                    Identifier(column.name), Identifier(table.schema, table.name)
                )
            ).fetchone()
            if highest is None or highest[0] is None:
                continue
            following = last + increment if last is not None else start
            if following <= highest[0]:
                steps = (highest[0] - following) // increment + 1
                yield StaleSequence(
                    table,
                    column.name,
                    column.sequence,
                    last,
                    int(highest[0]),
                    int(following + steps * increment),
                )
