"""A replica that nobody but replication writes to.

Two things hold that. The **privileges** INSERT, UPDATE, DELETE and TRUNCATE are taken from everybody but the owner, on the
tables, their columns and their partitions: from PostgreSQL 16 on workers write as the owner of the table, before as
that of the subscription (documentation, "Logical Replication", "Security"). What was taken is remembered in the target
(`novaops.replica_grant`), in the same transaction, and given back when the replica is none any more. And a **guard**, a
statement trigger in the mode ORIGIN on each table and partition, stops the owner and superusers as well; workers
pass it, since they run with `session_replication_role = replica`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from novaops.catalog.write_grants import WriteGrant, give, take, write_grants
from novaops.db.own_schema import ensure_own_schema
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import subscriptions, triggers
from novaops.replication.pair import bound_lock_waits

GUARD = "novaops_read_only"
MEMORY = "novaops.replica_grant"
COLUMNS = SQL(", ").join(Identifier(each.name) for each in fields(WriteGrant))
Place = tuple[str, str]
"""Schema and name of a table or partition."""


@dataclass(frozen=True, slots=True)
class Released:
    """What a replica that may be written to again has got back."""

    places: tuple[Place, ...]
    """The tables and partitions that had a guard."""
    given: tuple[WriteGrant, ...]
    lost: tuple[WriteGrant, ...]
    """What could not be given back: its role or column is gone."""

    def __str__(self) -> str:
        parts = [f"{shown(self.places)} takes writes again"] if self.places else []
        if self.given:
            parts.append(f"given back: {listed(self.given)}")
        if self.lost:
            parts.append(f"not to be given back any more: {listed(self.lost)}")
        return "; ".join(parts)


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


def writable(target: psycopg.Connection[Any], replication: Replication) -> list[WriteGrant]:
    """The rights to write that others than the owners have."""
    if not replication.read_only:
        return []
    return write_grants(target, _names(replication), _writing(target, replication))


def left_over(target: psycopg.Connection[Any], replication: Replication) -> bool:
    """Whether a replica that is not read-only, or not any more, was made so.

    Flags cannot say that it is to be: only a file that declares the replication takes it back.
    """
    if replication.read_only or not replication.in_file:
        return False
    return bool(_guarded(target, replication) or remembered(target, replication))


def remembered(
    target: psycopg.Connection[Any], replication: Replication, run: int | None = None
) -> list[WriteGrant]:
    """The rights that were taken for the replication, by one run or by all."""
    if not _remembers(target):
        return []
    with target.cursor(row_factory=class_row(WriteGrant)) as cursor:
        return cursor.execute(
            SQL(
                "SELECT {} FROM novaops.replica_grant WHERE replication = %s AND run = coalesce(%s, run)"
                ' ORDER BY schema, "table", "column" NULLS FIRST, privilege, grantee'
            ).format(COLUMNS),
            [replication.name, run],
        ).fetchall()


def refuse(
    target: psycopg.Connection[Any], replication: Replication, places: Sequence[Place], run: int
) -> list[WriteGrant]:
    """Guard the places and take the rights, in one transaction; returns what was taken, which is remembered."""
    ensure_own_schema(target)
    with target.transaction():
        bound_lock_waits(target)
        target.execute(_text("read_only.sql"))
        for schema, name in places:
            target.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION novaops.refuse_write()"
                ).format(Identifier(GUARD), Identifier(schema, name))
            )
        taken = take(target, _names(replication), _writing(target, replication))
        _remember(target, replication, taken, run)
    return taken


def give_back(target: psycopg.Connection[Any], replication: Replication, run: int | None = None) -> Released:
    """Grant again what one run has taken, or all have, in one transaction; the guards stay."""
    with target.transaction():
        bound_lock_waits(target)
        taken = remembered(target, replication, run)
        lost = give(target, taken)
        if taken:
            target.execute(
                f"DELETE FROM {MEMORY} WHERE replication = %s AND run = coalesce(%s, run)",
                [replication.name, run],
            )
    return Released((), tuple(grant for grant in taken if grant not in lost), tuple(lost))


def release(target: psycopg.Connection[Any], replication: Replication) -> Released:
    """Take the guards off and give the rights back, in one transaction."""
    with target.transaction():
        bound_lock_waits(target)
        places = _guarded(target, replication)
        for place in places:
            drop(target, place)
        return replace(give_back(target, replication), places=tuple(places))


def drop(target: psycopg.Connection[Any], place: Place) -> None:
    """Take the guard off one table or partition."""
    target.execute(SQL("DROP TRIGGER IF EXISTS {} ON {}").format(Identifier(GUARD), Identifier(*place)))


def shown(places: Sequence[Place]) -> str:
    return ", ".join(str(ReplicatedTable(*place)) for place in places)


def listed(grants: Sequence[WriteGrant]) -> str:
    """`INSERT, UPDATE ON agent_chat TO writer`, and so on."""
    found: dict[str, list[str]] = {}
    for grant in grants:
        what = f"{grant.privilege} ({grant.column})" if grant.column else grant.privilege
        place = f"{ReplicatedTable(grant.schema, grant.table)} of {grant.grantee or 'PUBLIC'}"
        found.setdefault(place, []).append(what)
    return "; ".join(f"{', '.join(dict.fromkeys(whats))} on {place}" for place, whats in found.items())


def _guarded(target: psycopg.Connection[Any], replication: Replication) -> list[Place]:
    return [(t.schema, t.table) for t in triggers(target, replication.tables) if t.name == GUARD]


def _writing(target: psycopg.Connection[Any], replication: Replication) -> list[str]:
    """The role that workers write as, if it is not that of each table."""
    found = subscriptions(target).get(replication.subscription)
    return [] if found is None or found.run_as_owner is False else [found.owner]


def _remembers(target: psycopg.Connection[Any]) -> bool:
    row = target.execute("SELECT to_regclass(%s)", [MEMORY]).fetchone()
    return row is not None and row[0] is not None


def _remember(
    target: psycopg.Connection[Any], replication: Replication, taken: Sequence[WriteGrant], run: int
) -> None:
    if not _remembers(target):
        target.execute(_text("replica_grant_1.sql"))
    insert = SQL(
        "INSERT INTO novaops.replica_grant (replication, run, {}) VALUES (%s, %s, {})"
        ' ON CONFLICT (replication, schema, "table", "column", privilege, grantee, grantor)'
        " DO UPDATE SET run = excluded.run, grantable = excluded.grantable, taken = excluded.taken"
    ).format(COLUMNS, SQL(", ").join([SQL("%s")] * len(fields(WriteGrant))))
    for grant in taken:
        values = [getattr(grant, each.name) for each in fields(WriteGrant)]
        target.execute(insert, [replication.name, run, *values])


def _names(replication: Replication) -> list[Place]:
    return [(table.schema, table.name) for table in replication.tables]


def _text(name: str) -> bytes:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").encode()


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
