"""What the worker's triggers name in their bodies: it has to be there before the first row comes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.replication.bodies import LANGUAGES, Name, named_in, search_path
from novaops.replication.declaration import ReplicatedTable

RELATIONS = ("table", "view", "materialized view", "foreign table", "sequence")
ROUTINES = frozenset(["function", "procedure"])
# pg_trigger.tgenabled of triggers that fire under session_replication_role = replica.
FIRING: Mapping[str, bool] = {"A": True, "R": True, "O": False, "D": False}


def named_by_triggers(
    source: Snapshot, found: Collection[Address], tables: Collection[ReplicatedTable]
) -> set[Address]:
    """Relations and routines of the source that are named by triggers which fire for rows of the tables.

    A routine that is named is read as well. `found` has the triggers themselves. A table that is named comes with its
    own triggers; these fire for no replicated row, and their bodies are not read.
    """
    todo = [
        edge.referenced
        for address in found
        if address.type == "trigger" and _fires(source[address], tables)
        for edge in source.dependencies.get(address, ())
    ]
    named: set[Address] = set()
    read: set[Address] = set()
    while todo:
        address = todo.pop()
        if address.type not in ROUTINES or address in read or address not in source:
            continue
        read.add(address)
        more = set(_named(source, source[address]))
        named |= more
        todo += more
    return named


def _fires(trigger: Object, tables: Collection[ReplicatedTable]) -> bool:
    schema, table, name = trigger.address.names
    for declared in tables:
        if (declared.schema, declared.name) == (schema, table):
            mode = declared.trigger_modes.get(name)
            return FIRING[trigger["enabled"]] if mode is None else mode in ("always", "replica")
    return False


def _named(source: Snapshot, routine: Object) -> Iterator[Address]:
    if routine["language"] not in LANGUAGES:
        return
    names = named_in(routine["body"])
    path = search_path(routine["config"] or ()) or ()
    for name in names.relations:
        for schema in _schemas(name, path):
            yield from (a for kind in RELATIONS if (a := Address(kind, (schema, name.name))) in source)
    wanted = {(schema, name.name) for name in names.functions for schema in _schemas(name, path)}
    yield from (a for a in source.objects if a.type in ROUTINES and a.names in wanted)


def _schemas(name: Name, path: tuple[str, ...]) -> tuple[str, ...]:
    return path if name.schema is None else (name.schema,)
