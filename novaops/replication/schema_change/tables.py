"""Which objects of a database are parts of replicated tables, and what of them is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_qualified
from novaops.replication.declaration import ReplicatedTable
from novaops.replication.facts import PublishedTable

Name = tuple[str, str]
Columns = frozenset[str] | None
"""Names of a list of columns; None: all that a table has, but the generated ones."""
SHAPE = frozenset({"type", "collation", "not_null", "generated", "generation_expression"})
"""Attributes of a column that say which values it takes; others are each database's own."""
KEY, CHECK, NOT_NULL, FOREIGN_KEY = "p", "c", "n", "f"
"""pg_constraint.contype."""


@dataclass(frozen=True)
class States:
    """The source as it is and as it is to be, the target as it is, and the lists of columns now and then."""

    before: Snapshot
    after: Snapshot
    target: Snapshot
    tables: tuple[ReplicatedTable, ...]
    published: Mapping[Name, Columns]

    @cached_property
    def declared(self) -> Mapping[Name, Columns]:
        return lists_of(self.tables)

    @cached_property
    def roots(self) -> Mapping[Name, Name]:
        """The replicated table that each one is, or is a partition of, by schema and name."""
        found = {name: name for name in self.declared}
        for snapshot in (self.before, self.after, self.target):
            for name in self.declared:
                found.update(dict.fromkeys(_partitions(snapshot, quote_qualified(*name)), name))
        return found

    def sent_before(self, column: Address) -> bool:
        """Whether the source sends it now."""
        return self._sent(self.before, self.published, column)

    def sent_after(self, column: Address) -> bool:
        """Whether the source will send it."""
        return self._sent(self.after, self.declared, column)

    def replicated(self, column: Address) -> bool:
        """Whether it is a column of a replicated table that the target has as the source has it."""
        root = self.roots.get((column.names[0], column.names[1]))
        if root is None:
            return False
        lists = (self.published.get(root), self.declared[root])
        return any(names is None or column.names[2] in names for names in lists)

    def _sent(self, snapshot: Snapshot, lists: Mapping[Name, Columns], column: Address) -> bool:
        root = self.roots.get((column.names[0], column.names[1]))
        obj = snapshot.objects.get(column)
        if root is None or root not in lists or obj is None or obj["generated"]:
            return False
        names = lists[root]
        return names is None or column.names[2] in names

    def columns(self, snapshot: Snapshot) -> Iterator[Address]:
        """The columns of the replicated tables, and of their partitions."""
        for schema, name in self.roots:
            for child in snapshot.children.get(Address("table", (schema, name)), ()):
                if child.address.type == "table column":
                    yield child.address

    def types(self, snapshot: Snapshot) -> frozenset[Address]:
        """The types that their columns have."""
        return frozenset(
            edge.referenced
            for column in self.columns(snapshot)
            if self.replicated(column)
            for edge in snapshot.dependencies.get(column, ())
            if edge.referenced.type == "type"
        )


def lists_of(tables: Iterable[ReplicatedTable | PublishedTable]) -> Mapping[Name, Columns]:
    """The list of columns of each table."""
    return {(t.schema, t.name): None if t.columns is None else frozenset(t.columns) for t in tables}


def table_of(obj: Object) -> Name | None:
    """The table that an object is a part of, by the object that contains it."""
    if obj.parent is None or obj.parent.type not in ("table", "table column"):
        return None
    return obj.parent.names[0], obj.parent.names[1]


def columns_of(obj: Object) -> tuple[Address, ...]:
    """The columns that a constraint is about."""
    table = table_of(obj)
    names = obj.facts.get("columns") or ()
    return tuple(Address("table column", (*table, name)) for name in names) if table else ()


def restrains(obj: Object) -> bool:
    """Whether it refuses rows: a constraint, or a unique index; foreign keys are not checked for replicated rows."""
    if obj.kind == "constraint":
        return obj["type"] not in (FOREIGN_KEY, NOT_NULL)
    return obj.kind == "domain constraint" or (obj.kind == "index" and bool(obj["_unique"]))


def _partitions(snapshot: Snapshot, identity: str) -> Iterator[Name]:
    for obj in snapshot:
        if obj.address.type == "table" and obj["partition_of"] == identity:
            yield obj.address.names[0], obj.address.names[1]
            yield from _partitions(snapshot, obj.identity)
