"""Keys of two directions that never meet: sequences in steps of two, or within a range on each side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.db.identifiers import quote_qualified
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
    """Let a sequence count as declared from the next value on.

    Its start follows the range, since it must be in it; steps leave it alone.
    """
    _, low, high = wanted.former
    start = SQL(" START WITH {}").format(wanted.low) if (low, high) != (wanted.low, wanted.high) else SQL("")
    connection.execute(
        SQL("ALTER SEQUENCE {} INCREMENT BY {} MINVALUE {} MAXVALUE {}{} RESTART WITH {}").format(
            Identifier(wanted.schema, wanted.name),
            wanted.increment,
            wanted.low,
            wanted.high,
            start,
            wanted.restart,
        )
    )


def undoing(wanted: Count) -> str:
    """The statement that lets it count as before."""
    increment, low, high = wanted.former
    start = f" START WITH {low}" if (low, high) != (wanted.low, wanted.high) else ""
    name = quote_qualified(wanted.schema, wanted.name)
    return f"ALTER SEQUENCE {name} INCREMENT BY {increment} MINVALUE {low} MAXVALUE {high}{start}"


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
                    used = partial(_highest, [each for _, each in sides], table, column.name)
                    wanted = _wanted(connection, replication, column.sequence, used, side)
                    if wanted is not None:
                        yield wanted


def _wanted(
    connection: psycopg.Connection[Any],
    replication: Replication,
    sequence: str,
    used: Callable[[int, int], int],
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
            at_least = max(used(low, high) + 1, upcoming)
            return Count(side, schema, name, step, low, high, at_least + (residue - at_least) % step, former)
        case Ranges(source, target):
            first, final = source if side == "source" else target
            if (low, high) == (first, final):
                return None
            restart = max(used(first, final) + 1, first)
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


def _highest(
    both: Sequence[psycopg.Connection[Any]], table: ReplicatedTable, column: str, low: int, high: int
) -> int:
    """The highest key between two values that either side has; 0 without any."""
    sql = SQL("SELECT coalesce(max({0}), 0) FROM {1} WHERE {0} BETWEEN %s AND %s").format(
        Identifier(column), Identifier(table.schema, table.name)
    )
    rows = [connection.execute(sql, [low, high]).fetchone() for connection in both]
    return max(int(row[0]) for row in rows if row)
