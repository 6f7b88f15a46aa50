"""A replica that nobody but replication writes to.

The guard is a statement trigger in the mode ORIGIN on the table and on each of its partitions: it stops INSERT, UPDATE,
DELETE and TRUNCATE of everybody, the owner and superusers included, and workers pass, since they run with
`session_replication_role = replica`.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.db.own_schema import ensure_own_schema
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import triggers
from novaops.replication.pair import bound_lock_waits

GUARD = "novaops_read_only"
Place = tuple[str, str]
"""Schema and name of a table or partition."""


def unguarded(target: psycopg.Connection[Any], replication: Replication) -> list[Place]:
    """The tables and partitions that lack the guard, or have it in a mode that does not hold."""
    if not replication.read_only:
        return []
    held = {
        (t.schema, t.table)
        for t in triggers(target, replication.tables)
        if t.name == GUARD and t.mode == "origin"
    }
    return [place for place in _places(target, replication) if place not in held]


def guard(target: psycopg.Connection[Any], places: list[Place]) -> None:
    """Put the guard on them, in one transaction."""
    ensure_own_schema(target)
    with target.transaction():
        bound_lock_waits(target)
        target.execute(files(__package__).joinpath("read_only.sql").read_text(encoding="utf-8").encode())
        for schema, name in places:
            target.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION novaops.refuse_write()"
                ).format(Identifier(GUARD), Identifier(schema, name))
            )


def release(target: psycopg.Connection[Any], replication: Replication) -> list[str]:
    """Take the guard off; returns the tables that had it."""
    found = [t for t in triggers(target, replication.tables) if t.name == GUARD]
    for trigger in found:
        drop(target, (trigger.schema, trigger.table))
    return [trigger.relation for trigger in found]


def drop(target: psycopg.Connection[Any], place: Place) -> None:
    """Take the guard off one table or partition."""
    target.execute(SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(GUARD), Identifier(*place)))


def _places(target: psycopg.Connection[Any], replication: Replication) -> list[Place]:
    rows = target.execute(
        "SELECT n.nspname::text, c.relname::text"
        " FROM unnest(%(tables)s::text[]) AS t (name)"
        " CROSS JOIN LATERAL (SELECT to_regclass(t.name)::oid AS oid"
        "   UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(to_regclass(t.name)) AS p) AS r"
        " JOIN pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " ORDER BY 1, 2",
        {"tables": [table.qualified for table in replication.tables]},
    ).fetchall()
    return [(schema, name) for schema, name in rows]


def shown(places: list[Place]) -> str:
    return ", ".join(str(ReplicatedTable(*place)) for place in places)
