"""Replicated tables: what they are, who may read them, and the shape of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.replication.declaration import ReplicatedTable
from novaops.replication.facts.queries import rows

Name = tuple[str, str]
"""Schema and name, as they are."""


@dataclass(frozen=True, slots=True)
class Table:
    """A relation that is to be replicated, on one side."""

    oid: int
    schema: str
    name: str
    kind: str
    """`pg_class.relkind`: `r` table, `p` partitioned table, `v` view …"""
    persistence: str
    """`pg_class.relpersistence`: only permanent ones (`p`) are in the WAL."""
    identity: str
    """`pg_class.relreplident`: `d` primary key, `i` an index, `f` the whole row, `n` nothing."""
    identity_columns: tuple[str, ...]
    """What finds the row of an UPDATE or DELETE; none where there is no identity, or the whole row is it."""
    primary_key: tuple[str, ...]
    row_security: bool
    """Whether policies hide rows from the connected role (`row_security_active()`)."""
    has_policies: bool
    """ENABLE ROW LEVEL SECURITY, for whomever."""
    readable: bool
    """SELECT on the table, or on each of its columns."""
    owned: bool
    """Whether the connected role is its owner, or may act as him: publications and trigger modes need it."""
    leaves: tuple[str, ...]
    """The tables that hold the rows, quoted with their schemas; the table itself if it has no partitions."""
    leaves_without_identity: tuple[str, ...]
    """Of these, the ones whose UPDATE or DELETE would be refused."""

    @property
    def has_identity(self) -> bool:
        return self.identity == "f" or bool(self.identity_columns)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, on one side."""

    schema: str
    table: str
    name: str
    number: int
    type: str
    """As `format_type()` writes it, with an empty search_path."""
    not_null: bool
    default: str | None
    generated: bool
    identity: str
    """`pg_attribute.attidentity`: `a` ALWAYS, `d` BY DEFAULT, or empty."""
    labels: tuple[str, ...] | None
    """Of an enum, in their order."""
    sequence: str | None
    """The sequence that is owned by the column, quoted with its schema."""


def tables(connection: psycopg.Connection[Any], wanted: Sequence[ReplicatedTable]) -> dict[Name, Table]:
    """Those of the wanted tables that there are."""
    return {(t.schema, t.name): t for t in rows(connection, "tables", Table, _names(wanted))}


def columns(
    connection: psycopg.Connection[Any], wanted: Sequence[ReplicatedTable]
) -> dict[Name, dict[str, Column]]:
    """The columns of the wanted tables by name, in the order of the table."""
    found: dict[Name, dict[str, Column]] = {}
    with connection.transaction():
        # format_type() leaves out schemas that are in the path.
        connection.execute("SET LOCAL search_path = ''")
        for column in rows(connection, "columns", Column, _names(wanted)):
            found.setdefault((column.schema, column.table), {})[column.name] = column
    return found


def _names(wanted: Sequence[ReplicatedTable]) -> dict[str, list[str]]:
    return {"schemas": [table.schema for table in wanted], "names": [table.name for table in wanted]}
