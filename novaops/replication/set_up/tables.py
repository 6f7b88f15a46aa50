"""Tables and columns that the target lacks, made as the source has them, through the schema engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident, quote_qualified
from novaops.db.own_schema import OWN_SCHEMA
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.planning.diff import Comparison
from novaops.planning.draft import draft
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from novaops.progress import Reporter
from novaops.project import Project
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import columns, tables
from novaops.replication.pair import Pair
from novaops.replication.set_up.named import named_by_triggers

# Rules, policies and what the source replicates are each database's own.
LEFT = frozenset(
    ["policy", "rule", "publication relation", "publication namespace", "publication", "subscription"]
)

# What depends on a table and is a part of it.
PARTS = frozenset(
    ["table constraint", "default value", "index", "trigger", "table column", "sequence", "statistics object"]
)
FOREIGN_KEY = "f"
"""pg_constraint.contype."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What of the declared tables the target has not."""

    tables: tuple[ReplicatedTable, ...]
    columns: tuple[tuple[ReplicatedTable, str], ...]

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    def __str__(self) -> str:
        return ", ".join([*map(str, self.tables), *(f"{table}.{column}" for table, column in self.columns)])


def lacking(pair: Pair, replication: Replication) -> Lacking:
    """The tables, and the replicated columns of tables that are there."""
    there = tables(pair.target.connection, replication.tables)
    ours = columns(pair.source.connection, replication.tables)
    theirs = columns(pair.target.connection, replication.tables)
    missing = [
        (table, column.name)
        for table in replication.tables
        for column in ours.get((table.schema, table.name), {}).values()
        if (table.schema, table.name) in there
        and not column.generated
        and (table.columns is None or column.name in table.columns)
        and column.name not in theirs[table.schema, table.name]
    ]
    return Lacking(tuple(t for t in replication.tables if (t.schema, t.name) not in there), tuple(missing))


@dataclass(frozen=True, slots=True)
class Making:
    """A statement that makes something, and the one that takes it away again; None where it goes with another."""

    sql: str
    undo: str | None
    name: str
    new_table: bool
    """Whether it is of the statements that make a table."""


def statements(pair: Pair, lacks: Lacking, reporter: Reporter) -> list[Making]:
    """What makes them on the target, in the order in which it runs; nothing that is there is changed.

    Raises `NovaopsError` when what the tables need cannot be had by making alone.
    """
    with (
        Project(pair.source.endpoint.conninfo(), reporter=reporter) as ours,
        Project(pair.target.endpoint.conninfo(), reporter=reporter) as theirs,
    ):
        source, target = ours.inspect(), theirs.inspect()
    desired = _with(target, source, _needed(source, target, lacks))
    made = draft(target, desired, Scope(frozenset(), whole=True), Comparison(PrivilegeMode.IGNORE))
    changed = [w.object.identity for w in made.written if w.operation not in ("create", "alter")]
    if changed:
        raise NovaopsError(
            f"{lacks} cannot be made as on the source without changing {changed[0]} in "
            f"{pair.target.identity.database}",
            hint="bring the target's schema up to date first: "
            + command_line("apply", "--database", pair.target.identity.database),
        )
    return [
        Making(
            w.step.sql,
            _undo(w.object) if w.operation == "create" else None,
            w.object.identity,
            w.operation == "create" and w.object.address.type == "table",
        )
        for w in made.written
    ]


def _undo(obj: Object) -> str | None:
    if obj.address.type == "table column":
        table = quote_qualified(*obj.address.names[:2])
        return f"ALTER TABLE {table} DROP COLUMN IF EXISTS {quote_ident(obj.address.names[2])}"
    if obj.parent is not None or obj.address.type in PARTS - {"sequence"}:
        return None
    return f"DROP {obj.address.type.upper()} IF EXISTS {obj.identity}"


def _needed(source: Snapshot, target: Snapshot, lacks: Lacking) -> set[Address]:
    """All that the set-up makes: what is lacking with all that it needs, down to the bodies of trigger functions."""
    todo = [Address("table", (table.schema, table.name)) for table in lacks.tables]
    todo += [Address("table column", (table.schema, table.name, column)) for table, column in lacks.columns]
    while True:
        found = _closure(source, target, todo)
        named = [
            a for a in named_by_triggers(source, found, lacks.tables) if a not in target and a not in todo
        ]
        if not named:
            return found
        todo += named


def _closure(source: Snapshot, target: Snapshot, wanted: Sequence[Address]) -> set[Address]:
    """What is wanted, with all that belongs to it and all that this needs, as far as the target lacks it."""
    tables = {address for address in wanted if address.type == "table"}
    todo = [*wanted]
    found: set[Address] = set()
    while todo:
        address = todo.pop()
        known = address in found or address in target or address not in source
        if known or _left(source, target, source[address], tables):
            continue
        found.add(address)
        todo += [child.address for child in source.children.get(address, ())]
        todo += [edge.referenced for edge in source.dependencies.get(address, ())]
        if Address("table", address.names[:2]) in tables:
            todo += [e.dependent for e in source.dependents.get(address, ()) if e.dependent.type in PARTS]
    return found


def _left(source: Snapshot, target: Snapshot, obj: Object, tables: Set[Address]) -> bool:
    """What is not taken along: what is each database's own, and keys that refer to tables that are not there."""
    if obj.address.type in LEFT or obj.schema == OWN_SCHEMA:
        return True
    if obj.address.type != "table constraint" or obj["type"] != FOREIGN_KEY:
        return False
    referenced = {
        Address("table", edge.referenced.names[:2])
        for edge in source.dependencies.get(obj.address, ())
        if edge.referenced.type in ("table", "table column", "table constraint")
    }
    return any(table not in target and table not in tables for table in referenced)


def _with(target: Snapshot, source: Snapshot, wanted: set[Address]) -> Snapshot:
    """The target as it is, and what is wanted of the source."""
    objects: Mapping[Address, Object] = {**target.objects, **{a: source[a] for a in wanted}}
    edges = [e for e in source.edges if e.dependent in wanted and e.referenced in objects]
    return replace(target, objects=objects, edges=(*target.edges, *edges))
