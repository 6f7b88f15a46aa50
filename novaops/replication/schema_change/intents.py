"""What a change of the source's schema asks of the target: the parts of replicated tables that it touches.

Kept in the journal, since the source does not tell any more once it is changed: a column that it lacks may
as well be one that the target has for itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.type_change import readable
from novaops.planning.changes import Alter, Change, Create, Drop
from novaops.replication.schema_change.tables import (
    FOREIGN_KEY,
    NOT_NULL,
    SHAPE,
    States,
    columns_of,
    restrains,
    table_of,
)


@dataclass(frozen=True, slots=True)
class Intent:
    """An object that the target shall have as the source is to have it, or shall not have.

    Of a column or type, `attributes` are those that change.
    """

    address: Address
    attributes: tuple[str, ...] = ()

    def text(self) -> str:
        """The address, for the journal."""
        return json.dumps(self.address)

    @classmethod
    def of(cls, text: str, attributes: tuple[str, ...]) -> Intent:
        type_, names, args = json.loads(text)
        return cls(Address(type_, tuple(names), tuple(args)), attributes)


def intents(states: States, changes: Mapping[Address, Change]) -> list[Intent]:
    """What the changes of the source mean for the target, and what a list of columns that gets longer does."""
    found: dict[Address, Intent] = {}
    for intent in (intent for change in changes.values() for intent in _of(states, change)):
        known = found.get(intent.address, intent)
        both = tuple(sorted({*known.attributes, *intent.attributes}))
        found[intent.address] = Intent(intent.address, both)
    for column in states.columns(states.after):
        if column not in found and states.sent_after(column) and not states.sent_before(column):
            found[column] = Intent(column, tuple(sorted(SHAPE)))
    return sorted(found.values(), key=lambda intent: intent.address)


def _of(states: States, change: Change) -> Iterator[Intent]:
    obj = change.old if isinstance(change, Drop) else change.new
    address = change.address
    match obj.kind:
        case "column" if states.replicated(address):
            yield from _column(states, change)
        case "default value" if states.replicated(Address("table column", address.names)):
            yield Intent(address)
        case "table" if states.roots.get((address.names[0], address.names[1])) not in (None, address.names):
            if isinstance(change, Create | Drop):
                yield Intent(address)
        case "constraint" if table_of(obj) in states.roots and all(map(states.replicated, columns_of(obj))):
            if obj["type"] == NOT_NULL and obj.parent is not None:
                # From PostgreSQL 18 on an object; here it is the column's as before.
                yield Intent(obj.parent, ("not_null",))
            elif obj["type"] != FOREIGN_KEY or _referenced_there(states, obj):
                yield Intent(address)
        case "index" if table_of(obj) in states.roots and restrains(obj):
            yield Intent(address)
        case "enum" | "domain" if address in states.types(states.before) | states.types(states.after):
            if isinstance(change, Alter) or address in states.target:
                yield Intent(address, ("labels",) if obj.kind == "enum" else ("not_null",))
        case "domain constraint" if obj.parent in states.types(states.after):
            yield Intent(address)


def _column(states: States, change: Change) -> Iterator[Intent]:
    changed = SHAPE
    if isinstance(change, Alter):
        changed = SHAPE & change.changed
        there = states.target.objects.get(change.address)
        # A target that takes more than the source sends has been made so.
        if there is not None and there["type"] != change.old["type"] and readable(change.new, there):
            changed -= {"type"}
    if changed:
        yield Intent(change.address, tuple(sorted(changed)))


def _referenced_there(states: States, obj: Object) -> bool:
    """Whether the target has the table that a foreign key refers to."""
    snapshot = states.after if obj.address in states.after else states.before
    tables = [
        Address("table", edge.referenced.names[:2])
        for edge in snapshot.dependencies.get(obj.address, ())
        if edge.referenced.type in ("table", "table column", "table constraint")
    ]
    return all(table in states.target for table in tables)
