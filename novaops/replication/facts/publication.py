"""Publications (`pg_publication`) and their tables (`pg_publication_rel`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from novaops.replication.facts.queries import rows


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table that is named in the publication itself, not through its schema or FOR ALL TABLES."""

    publication: str
    schema: str
    name: str
    columns: tuple[str, ...] | None
    """None: all of them."""
    row_filter: str | None
    """As PostgreSQL writes it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication of the connected database."""

    name: str
    owner: str
    all_tables: bool
    operations: tuple[str, ...]
    """Of insert, update, delete, truncate, those that it publishes."""
    via_root: bool
    schemas: tuple[str, ...]
    """FOR TABLES IN SCHEMA."""
    tables: tuple[PublishedTable, ...] = ()


def publications(connection: psycopg.Connection[Any]) -> dict[str, Publication]:
    """All publications of the connected database by name."""
    tables = rows(connection, "published_tables", PublishedTable)
    return {
        found.name: replace(found, tables=tuple(t for t in tables if t.publication == found.name))
        for found in rows(connection, "publications", Publication)
    }


def publication(connection: psycopg.Connection[Any], name: str) -> Publication | None:
    """The publication of that name."""
    return publications(connection).get(name)


def publishing(connection: psycopg.Connection[Any], oids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The publications that publish each of these relations, directly, by schema or as a part of everything."""
    found = connection.execute(
        "SELECT c.oid, array_agg(p.pubname::text ORDER BY p.pubname) FROM pg_catalog.pg_publication_tables p"
        " JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname"
        " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename"
        " WHERE c.oid = ANY (%s) GROUP BY c.oid",
        [list(oids)],
    ).fetchall()
    return {oid: tuple(names) for oid, names in found}
