"""The modes of triggers on the side that receives rows: told in words, compared with what is declared, put right.

A mode (`pg_trigger.tgenabled`) says for which rows a trigger fires: workers of logical replication run with
`session_replication_role = replica`, so that triggers in the mode origin, which is what CREATE TRIGGER
gives them, do not fire for replicated rows, and those in the mode replica fire for these alone
(documentation, ALTER TABLE, "ENABLE REPLICA/ALWAYS TRIGGER"). CREATE OR REPLACE TRIGGER and ENABLE TRIGGER
set the mode to origin, and each partition has one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from novaops.db.connection import connect
from novaops.desired.overlay import CLAUSES
from novaops.invocation import command_line
from novaops.replication.declaration import ReplicatedTable, Replication, TriggerMode
from novaops.replication.facts.trigger import Trigger, triggers
from novaops.replication.finding import Finding


@dataclass(frozen=True, slots=True)
class Standing:
    """One trigger of one table or partition, beside the mode that is declared for it, if any is."""

    trigger: Trigger
    declared: TriggerMode | None

    @property
    def as_declared(self) -> bool:
        return self.declared in (None, self.trigger.mode)

    @property
    def effect(self) -> str:
        """What the mode means on the side that receives rows."""
        return effect(self.trigger)


@dataclass(frozen=True, slots=True)
class Change:
    """A trigger whose mode was put right; `trigger` is as it was before."""

    trigger: Trigger
    mode: TriggerMode

    def __str__(self) -> str:
        return f"{self.trigger.name} on {self.trigger.relation}: {self.trigger.mode} → {self.mode}"


@dataclass(frozen=True, slots=True)
class Report:
    """The triggers of a replication's target, and what is not as declared."""

    replication: Replication
    standings: tuple[Standing, ...]
    findings: tuple[Finding, ...]


def report(replication: Replication) -> Report:
    """Connects to the target and looks at the triggers of its tables."""
    with closing(connect(replication.target.conninfo())) as connection:
        found = standings(connection, replication.tables)
    return Report(replication, found, tuple(findings(found, replication.tables)))


def effect(trigger: Trigger) -> str:
    """What the mode of the trigger means on the side that receives rows, in words."""
    verb = "notifies" if trigger.notifies else "fires"
    if trigger.mode == "disabled":
        return f"never {verb}"
    if not trigger.row:
        local = "local statements" if trigger.mode != "replica" else "no local statement"
        copied = " and for the first copy" if trigger.fires_for_replicated_rows else ""
        return f"{verb} for {local}{copied}; replication has no statements"
    match trigger.mode:
        case "always":
            return f"{verb} for replicated rows and for local ones"
        case "origin":
            return f"{verb} for local rows, not for replicated ones"
        case "replica":
            return f"{verb} for replicated rows, not for local ones"


def standings(connection: psycopg.Connection[Any], tables: Sequence[ReplicatedTable]) -> tuple[Standing, ...]:
    """Every trigger of the tables and of all of their partitions."""
    declared = {(table.schema, table.name): table.trigger_modes for table in tables}
    return tuple(
        Standing(trigger, declared[trigger.root_schema, trigger.root].get(trigger.name))
        for trigger in triggers(connection, tables)
    )


def missing(
    standing: Sequence[Standing], tables: Sequence[ReplicatedTable]
) -> list[tuple[ReplicatedTable, str]]:
    """Triggers for which a mode is declared and that are not there, with their tables."""
    there = {(s.trigger.root_schema, s.trigger.root, s.trigger.name) for s in standing}
    return [
        (table, name)
        for table in tables
        for name in table.trigger_modes
        if (table.schema, table.name, name) not in there
    ]


def due(connection: psycopg.Connection[Any], tables: Sequence[ReplicatedTable]) -> list[Change]:
    """What gives every trigger the mode that is declared for it, on the table and on each partition by itself."""
    return [
        Change(standing.trigger, standing.declared)
        for standing in standings(connection, tables)
        if standing.declared is not None and not standing.as_declared
    ]


def statement(change: Change) -> Composed:
    """The statement that makes the change; it leaves partitions alone (ONLY)."""
    table = Identifier(change.trigger.schema, change.trigger.table)
    return SQL("ALTER TABLE ONLY {} {} {}").format(
        table, SQL(CLAUSES[change.mode]), Identifier(change.trigger.name)
    )


def findings(standing: Sequence[Standing], tables: Sequence[ReplicatedTable]) -> list[Finding]:
    """What differs from the declaration: triggers in another mode, and triggers that are not there."""
    found = [
        Finding(
            "trigger-mode",
            "warning",
            f"{s.trigger.name} on {s.trigger.relation} is in the mode {s.trigger.mode}, declared is {s.declared}",
            f"it {s.effect}",
            f"{command_line('replicate')} puts it right",
        )
        for s in standing
        if not s.as_declared
    ]
    for table, name in missing(standing, tables):
        found.append(
            Finding(
                "trigger-missing",
                "error",
                f"{table} has no trigger {name}, for which a mode is declared",
                None,
                "apply the files that create it to the target, or take it out of [[replication.table]] triggers",
            )
        )
    return found
