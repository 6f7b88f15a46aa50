"""Schemas and extensions that a shadow has before the files run: they hold objects, and several may need them."""

from __future__ import annotations

from collections.abc import Set
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import tuple_row

from novaops.catalog.address import Address
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.desired.names import Declared

# Oids below 16384 are initdb's (src/include/access/transam.h, FirstNormalObjectId).
_THERE = """
SELECT 'EXTENSION', extname::text FROM pg_catalog.pg_extension WHERE oid >= 16384
UNION ALL
SELECT 'SCHEMA', nspname::text FROM pg_catalog.pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_(toast|temp)'
"""


def containers(connection: psycopg.Connection[Any]) -> set[Declared]:
    """Return the schemas and extensions of a database, but for those of initdb."""
    rows = connection.cursor(row_factory=tuple_row).execute(_THERE).fetchall()
    return {Declared(kind, (name,)) for kind, name in rows}


def drop(container: Declared) -> str:
    """Return the statement that drops an empty schema, or an extension that nothing uses."""
    return f"DROP {container.kind} {quote_ident(container.names[0])}"


def removed(connection: psycopg.Connection[Any]) -> frozenset[Declared]:
    """Drop the schemas and extensions of a shadow until its transaction ends; return those that stay.

    A role may drop only what it owns. An extension that another one needs goes after that.
    """
    stay, before = containers(connection), -1
    while stay and len(stay) != before:
        before = len(stay)
        for container in sorted(stay, key=str):
            with (
                suppress(errors.InsufficientPrivilege, errors.DependentObjectsStillExist),
                connection.transaction(),
            ):
                connection.execute(drop(container))
                stay.discard(container)
    return frozenset(stay)


def addresses(found: Set[Declared]) -> set[Address]:
    """Return the addresses of schemas and extensions."""
    return {Address(container.kind.lower(), container.names) for container in found}


def without(snapshot: Snapshot, found: Set[Declared]) -> Snapshot:
    """Return the snapshot less those that nothing else in it needs."""
    left = addresses(found) & snapshot.objects.keys()
    while unused := {a for a in left if not snapshot.dependents.get(a)}:
        snapshot = snapshot.part(snapshot.objects.keys() - unused)
        left -= unused
    return snapshot
