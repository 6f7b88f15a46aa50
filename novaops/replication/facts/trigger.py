"""Triggers of replicated tables and of every one of their partitions (`pg_trigger`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.replication.declaration import ReplicatedTable, TriggerMode
from novaops.replication.facts.queries import rows


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger of one relation; a partition's clone is one of its own, with a mode of its own."""

    schema: str
    table: str
    root_schema: str
    root: str
    """The table that is replicated; `table` is it, or one of its partitions, at any level."""
    name: str
    mode: TriggerMode
    row: bool
    """FOR EACH ROW; workers fire no statement triggers but those of TRUNCATE and of the first copy."""
    before: bool
    operations: tuple[str, ...]
    """Of insert, update, delete, truncate."""
    function: str
    """As `regprocedure` writes it, with its schema."""
    language: str
    source: str
    """The function's text."""
    settings: tuple[str, ...]
    """`pg_proc.proconfig`."""
    notifies: bool
    """Whether the text of the function speaks of NOTIFY or pg_notify()."""

    @property
    def relation(self) -> str:
        """The table or partition that has it, for people."""
        return str(ReplicatedTable(self.schema, self.table))

    @property
    def fires_for_replicated_rows(self) -> bool:
        return self.mode in ("always", "replica")


def triggers(connection: psycopg.Connection[Any], tables: Sequence[ReplicatedTable]) -> tuple[Trigger, ...]:
    """All but those that PostgreSQL makes for constraints, by table and name."""
    given = {"schemas": [table.schema for table in tables], "names": [table.name for table in tables]}
    return rows(connection, "triggers", Trigger, given)
