"""Keys of two directions that never meet: sequences in steps of two, or within a range on each side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.errors import NovaopsError
from novaops.replication.declaration import Ranges, ReplicatedTable, Replication, Strides
from novaops.replication.facts import columns
from novaops.replication.pair import Pair

SEQUENCE = """
SELECT n.nspname::text, c.relname::text, s.seqincrement, s.seqmin, s.seqmax
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE s.seqrelid = to_regclass(%s)
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How a sequence of one side is to count."""

    side: Literal["source", "target"]
    schema: str
    name: str
    increment: int
    low: int
    high: int
    restart: int
    """The next value that it gives."""
    former: tuple[int, int, int]
    """Increment, lowest and highest value now."""


def differing(pair: Pair, replication: Replication) -> list[Count]:
    """The sequences of both sides that do not count as declared."""
    if replication.keys is None:
        return []
    return list(_differing(pair, replication))


def count(connection: psycopg.Connection[Any], wanted: Count) -> None:
    """Let a sequence count as declared from the next value on."""
    connection.execute(
        SQL("ALTER SEQUENCE {} INCREMENT BY {} MINVALUE {} MAXVALUE {} RESTART WITH {}").format(
            Identifier(wanted.schema, wanted.name),
            wanted.increment, wanted.low, wanted.high, wanted.restart,
        )
    )  # fmt: skip


def undoing(wanted: Count) -> str:
    """The statement that lets it count as before."""
    increment, low, high = wanted.former
    name = SQL("{}").format(Identifier(wanted.schema, wanted.name)).as_string(None)
    return f"ALTER SEQUENCE {name} INCREMENT BY {increment} MINVALUE {low} MAXVALUE {high}"


def _differing(pair: Pair, replication: Replication) -> Iterator[Count]:
    sides: tuple[tuple[Literal["source", "target"], psycopg.Connection[Any]], ...] = (
        ("source", pair.source.connection),
        ("target", pair.target.connection),
    )
    for side, connection in sides:
        described = columns(connection, replication.tables)
        for table in replication.tables:
            for column in described.get((table.schema, table.name), {}).values():
                if column.sequence is not None:
                    highest = max(_highest(each, table, column.name) for _, each in sides)
                    wanted = _wanted(connection, replication, column.sequence, highest, side)
                    if wanted is not None:
                        yield wanted


def _wanted(
    connection: psycopg.Connection[Any],
    replication: Replication,
    sequence: str,
    highest: int,
    side: Literal["source", "target"],
) -> Count | None:
    row = connection.execute(SEQUENCE, [sequence]).fetchone()
    assert row is not None  # noqa: S101
    schema, name, increment, low, high = row
    upcoming = _next(connection, schema, name, increment)
    former = (increment, low, high)
    match replication.keys:
        case Strides(step, odd):
            residue = 1 if side == odd else 0
            if increment == step and upcoming % step == residue:
                return None
            at_least = max(highest + 1, upcoming)
            return Count(side, schema, name, step, low, high, at_least + (residue - at_least) % step, former)
        case Ranges(source, target):
            first, final = source if side == "source" else target
            if (low, high) == (first, final):
                return None
            restart = highest + 1 if first <= highest <= final else first
            if restart > final:
                raise NovaopsError(
                    f"the keys {first} to {final} of {name} are used up on the {side}",
                    hint="declare wider ranges: keys = { source = […], target = […] }",
                )
            return Count(side, schema, name, increment, first, final, restart, former)
        case None:
            return None


def _next(connection: psycopg.Connection[Any], schema: str, name: str, increment: int) -> int:
    row = connection.execute(
        SQL("SELECT last_value, is_called FROM {}").format(Identifier(schema, name))
    ).fetchone()
    assert row is not None  # noqa: S101
    return int(row[0] + increment if row[1] else row[0])


def _highest(connection: psycopg.Connection[Any], table: ReplicatedTable, column: str) -> int:
    row = connection.execute(
        SQL("SELECT coalesce(max({}), 0) FROM {}").format(
            Identifier(column), Identifier(table.schema, table.name)
        )
    ).fetchone()
    return int(row[0]) if row else 0
