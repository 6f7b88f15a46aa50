"""Rows of a replicated table, read alike on both sides: by ranges of keys, as counts, hashes and versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Composed, Identifier

from novaops.db.connection import connect
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.declaration import Endpoint, ReplicatedTable
from novaops.replication.proof.state import query

Key = tuple[str, ...]
"""The values of the key's columns, as text."""

# What makes types write themselves differently; with row security on, rows would be missing without a word.
SETTINGS = """
SET search_path = ''; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC';
SET extra_float_digits = 1; SET bytea_output = 'hex'; SET xmlbinary = 'base64'; SET lc_monetary = 'C';
SET row_security = off
"""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that identifies rows, and its type in words."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a table is compared. Without a `key` only the whole can be."""

    table: ReplicatedTable
    columns: tuple[str, ...]
    key: tuple[KeyColumn, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A row at one moment: the hash of its replicated columns, and the transaction that wrote it."""

    hash: int
    xmin: str


@dataclass(frozen=True, slots=True)
class Range:
    """Keys after `low` up to and including `high`; None: from the first, to the last."""

    low: Key | None = None
    high: Key | None = None


@contextmanager
def reader(endpoint: Endpoint) -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own on which all types are written the same way everywhere."""
    with connect(endpoint.conninfo()) as connection:
        connection.execute(SETTINGS)
        yield connection


def shape(connection: psycopg.Connection[Any], table: ReplicatedTable) -> Shape:
    """The columns that are replicated, and the key if it is among them; raises `NovaopsError` without the table."""
    rows = connection.execute(query("key.sql"), {"table": table.qualified}).fetchall()
    if not rows:
        raise NovaopsError(
            f"{connection.info.dbname} has no table {table}",
            hint=f"{command_line('replicate')} makes it on the target; "
            f"{command_line('plan', '--database', connection.info.dbname)} shows what else is missing there",
        )
    # Generated columns are computed on each side; before 18 they cannot be published at all.
    columns = tuple(
        name
        for name, _, generated, *_ in rows
        if (not generated if table.columns is None else name in table.columns)
    )
    keyed = sorted((position, KeyColumn(name, kind)) for name, kind, _, _, position in rows if position)
    key = tuple(column for _, column in keyed)
    return Shape(table, columns, key if all(column.name in columns for column in key) else ())


def filtered(connection: psycopg.Connection[Any], shape: Shape) -> Rows:
    """The rows of a side within the row filter, where it can be asked there: it may name columns that only the source has."""
    rows = Rows(connection, shape)
    if shape.table.row_filter:
        try:
            rows.try_filter()
        except errors.UndefinedColumn:
            return Rows(connection, shape, filtered=False)
    return rows


class Rows:
    """The rows of one side. Each method is one statement, and sees what is committed then."""

    def __init__(self, connection: psycopg.Connection[Any], shape: Shape, *, filtered: bool = True) -> None:
        self.connection = connection
        self.shape = shape
        self.relation = Identifier(shape.table.schema, shape.table.name)
        row_filter = shape.table.row_filter if filtered else None
        # The declaration's own SQL, the same that CREATE PUBLICATION gets.
        self.condition: SQL | Composed = SQL("true")
        if row_filter:
            self.condition = SQL("({})").format(SQL(row_filter.replace("%", "%%")))
        self._names = [Identifier(column.name) for column in shape.key]
        self.columns = SQL(", ").join(map(Identifier, shape.columns))

    def sum(self, part: Range) -> tuple[int, int]:
        """How many rows there are in a range, and the sum of their hashes."""
        where, values = self._within(part)
        sql = SQL("SELECT count(*), coalesce(sum({}), 0)::text FROM {} WHERE {}")
        row = self._one(sql.format(self._hash(), self.relation, where), values)
        return row[0], int(row[1])

    def try_filter(self) -> None:
        """Try the filter; raises `UndefinedColumn` where the side lacks a column of it."""
        sql = SQL("SELECT FROM {} WHERE {} LIMIT 0").format(self.relation, self.condition)
        self.connection.execute(sql, {})

    def boundary(self, part: Range, count: int) -> Key | None:
        """The key of the row number `count` of the range; None where it has not so many."""
        where, values = self._within(part)
        order = SQL(", ").join(self._names)
        sql = SQL("SELECT {} FROM {} WHERE {} ORDER BY {} OFFSET {} LIMIT 1").format(
            self._as_text(), self.relation, where, order, count - 1
        )
        rows = self._all(sql, values)
        return tuple(rows[0]) if rows else None

    def versions(self, part: Range) -> dict[Key, Version]:
        """All rows of the range."""
        where, values = self._within(part)
        return self._versions(where, values)

    def last(self, count: int) -> dict[Key, Version]:
        """So many rows, those with the highest keys."""
        order = SQL(", ").join(SQL("{} DESC").format(name) for name in self._names)
        where = SQL("{} ORDER BY {} LIMIT {}").format(self.condition, order, count)
        return self._versions(where, {})

    def versions_of(self, keys: Sequence[Key]) -> dict[Key, Version]:
        """Those rows of the keys that there are."""
        if not keys:
            return {}
        return self._versions(SQL("{} AND {}").format(self.condition, self.among()), self.arrays(keys))

    def estimate(self) -> int:
        """How many rows the planner expects, with all partitions."""
        row = self._one(
            SQL(
                "SELECT coalesce(sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0)::bigint"
                " FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(%(table)s) OR c.oid IN"
                " (SELECT p.relid FROM pg_catalog.pg_partition_tree(to_regclass(%(table)s)) AS p)"
            ),
            {"table": self.shape.table.qualified},
        )
        return int(row[0])

    def among(self) -> Composed:
        """The condition that the key is one of those in `arrays()`."""
        casts = SQL(", ").join(
            SQL("k.{}::{}").format(Identifier(f"k{n}"), SQL(column.type))
            for n, column in enumerate(self.shape.key)
        )
        given = SQL(", ").join(SQL("%(k{})s::text[]").format(n) for n in range(len(self.shape.key)))
        names = SQL(", ").join(Identifier(f"k{n}") for n in range(len(self.shape.key)))
        return SQL("({}) IN (SELECT {} FROM ROWS FROM (unnest({})) AS k ({}))").format(
            SQL(", ").join(self._names), casts, given, names
        )

    def arrays(self, keys: Sequence[Key]) -> dict[str, list[str]]:
        """The values for `among()`: an array for each column of the key."""
        return {f"k{n}": [key[n] for key in keys] for n in range(len(self.shape.key))}

    # -- parts of the statements ----------------------------------------------------------------

    def _hash(self) -> Composed:
        # A digest that all versions and platforms compute alike; hashtext() promises nothing of the kind.
        return SQL("('x' || substr(md5(ROW({})::text), 1, 16))::bit(64)::bigint").format(self.columns)

    def _as_text(self) -> Composed:
        return SQL(", ").join(SQL("{}::text").format(name) for name in self._names)

    def _within(self, part: Range) -> tuple[Composed, dict[str, str]]:
        conditions: list[SQL | Composed] = [self.condition]
        values: dict[str, str] = {}
        for sign, end, letter in ((">", part.low, "l"), ("<=", part.high, "h")):
            if end is not None:
                casts = SQL(", ").join(
                    SQL("%({}{})s::{}").format(SQL(letter), n, SQL(column.type))
                    for n, column in enumerate(self.shape.key)
                )
                conditions.append(SQL("({}) {} ({})").format(SQL(", ").join(self._names), SQL(sign), casts))
                values |= {f"{letter}{n}": value for n, value in enumerate(end)}
        return SQL(" AND ").join(conditions), values

    def _versions(self, where: SQL | Composed, values: Mapping[str, Any]) -> dict[Key, Version]:
        sql = SQL("SELECT {}, {}, xmin::text FROM {} WHERE {}")
        rows = self._all(sql.format(self._hash(), self._as_text(), self.relation, where), values)
        return {tuple(key): Version(hashed, xmin) for hashed, *key, xmin in rows}

    def _one(self, sql: SQL | Composed, values: Mapping[str, Any]) -> tuple[Any, ...]:
        rows = self._all(sql, values)
        return rows[0]

    def _all(self, sql: SQL | Composed, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            rows: list[tuple[Any, ...]] = self.connection.execute(sql, values).fetchall()
            return rows
        except errors.InsufficientPrivilege as error:
            raise self._hidden(error) from error
        except errors.UndefinedColumn as error:
            raise NovaopsError(
                f"{self.shape.table} in {self.connection.info.dbname} has not all replicated columns",
                detail=error.diag.message_primary,
                hint=f"{command_line('plan', '--database', self.connection.info.dbname)} shows what its own files want",
            ) from error

    def _hidden(self, error: errors.InsufficientPrivilege) -> NovaopsError:
        role, database = self.connection.info.user, self.connection.info.dbname
        return NovaopsError(
            f"role {role} cannot read all rows of {self.shape.table} in {database}",
            detail=error.diag.message_primary,
            hint=f"GRANT SELECT ON {self.shape.table.qualified} TO {role}; where row-level security is on, "
            f"compare as a role with BYPASSRLS",
        )
