"""The publication on the source, made or altered; never dropped and made anew.

A slot decodes with the publication as it was when a row was written: one that was away for a while breaks the slot
on 15, and loses the rows of that while without a word on 18.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import Publication, PublishedTable, publication, tables
from novaops.replication.pair import bound_lock_waits


def table_clause(table: ReplicatedTable | PublishedTable) -> Composed:
    """The table with its columns and its filter, as CREATE PUBLICATION wants it."""
    text = SQL("{}").format(Identifier(table.schema, table.name))
    if table.columns is not None:
        text = text + SQL(" ({})").format(SQL(", ").join(map(Identifier, table.columns)))
    if table.row_filter:
        text = text + SQL(" WHERE ({})").format(SQL(table.row_filter))
    return text


def statements(source: psycopg.Connection[Any], replication: Replication) -> list[Composed]:
    """What makes the publication as declared; nothing if it is so already.

    Whether a declared filter is the one that is there, PostgreSQL says: it is set in a transaction that is
    rolled back, and read. Where there is no filter that is not needed.
    """
    name = Identifier(replication.publication)
    listed = SQL(", ").join(map(table_clause, replication.tables))
    found = publication(source, replication.publication)
    # The filter of a partitioned table counts only where its rows are sent as the parent's.
    kinds = tables(source, replication.tables)
    via_root = any(t.kind == "p" for t in kinds.values())
    if found is None:
        options = SQL(" WITH (publish_via_partition_root = true)") if via_root else SQL("")
        return [SQL("CREATE PUBLICATION {} FOR TABLE {}{}").format(name, listed, options)]
    wanted = [SQL("ALTER PUBLICATION {} SET TABLE {}").format(name, listed)]
    if via_root and not found.via_root:
        wanted.append(SQL("ALTER PUBLICATION {} SET (publish_via_partition_root = true)").format(name))
    if _plainly_equal(found, replication, via_root):
        return []
    return wanted if _read_after(source, wanted, replication.publication) != found else []


def former(found: Publication) -> list[Composed]:
    """What puts the tables of a publication back."""
    name = Identifier(found.name)
    clauses = [table_clause(table) for table in found.tables]
    root = SQL("true") if found.via_root else SQL("false")
    back = [SQL("ALTER PUBLICATION {} SET (publish_via_partition_root = {})").format(name, root)]
    if clauses:
        back.insert(0, SQL("ALTER PUBLICATION {} SET TABLE {}").format(name, SQL(", ").join(clauses)))
    return back


def _plainly_equal(found: Publication, replication: Replication, via_root: bool) -> bool:
    """Whether it sends these tables and columns, and nobody has a filter."""
    filters = [t.row_filter for t in replication.tables] + [t.row_filter for t in found.tables]
    if any(filters) or (via_root and not found.via_root):
        return False
    declared = {(t.schema, t.name): t.columns and frozenset(t.columns) for t in replication.tables}
    return declared == {(t.schema, t.name): t.columns and frozenset(t.columns) for t in found.tables}


def _read_after(source: psycopg.Connection[Any], wanted: list[Composed], name: str) -> Publication | None:
    with source.transaction(force_rollback=True):
        bound_lock_waits(source)
        for statement in wanted:
            source.execute(statement)
        return publication(source, name)
