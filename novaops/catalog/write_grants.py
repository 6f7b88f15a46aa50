"""Rights to write to tables that others than the owners have, one by one: read, taken away, given back as they were."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row
from psycopg.sql import SQL, Composed, Identifier

PUBLIC = ""
OWNER = ""


@dataclass(frozen=True, slots=True)
class WriteGrant:
    """One entry of an ACL: INSERT, UPDATE, DELETE or TRUNCATE on a table, or INSERT or UPDATE of a column."""

    schema: str
    table: str
    column: str | None
    privilege: str
    grantee: str
    """A role, or `PUBLIC`."""
    grantor: str
    """The role that has given it; `OWNER`: whoever owns the table."""
    grantable: bool

    def __str__(self) -> str:
        """As GRANT is written; for people, too."""
        return self._statement("GRANT", "TO").as_string() + " WITH GRANT OPTION" * self.grantable

    def _statement(self, verb: str, preposition: str) -> Composed:
        column = SQL(" ({})").format(Identifier(self.column)) if self.column else SQL("")
        return SQL("{} {}{} ON TABLE {} {} {}").format(
            SQL(verb),
            SQL(self.privilege),
            column,
            Identifier(self.schema, self.table),
            SQL(preposition),
            Identifier(self.grantee) if self.grantee != PUBLIC else SQL("PUBLIC"),
        )


def write_grants(
    connection: psycopg.Connection[Any], tables: Sequence[tuple[str, str]], keeping: Collection[str] = ()
) -> list[WriteGrant]:
    """What of tables (schema, name) and their partitions is granted to others than the owners and roles `keeping` it."""
    sql = files(__package__).joinpath("write_grants.sql").read_text(encoding="utf-8")
    given = {
        "schemas": [schema for schema, _ in tables],
        "names": [name for _, name in tables],
        "keeping": list(keeping),
    }
    with connection.cursor(row_factory=class_row(WriteGrant)) as cursor:
        return cursor.execute(sql.encode(), given).fetchall()


def take(
    connection: psycopg.Connection[Any], tables: Sequence[tuple[str, str]], keeping: Collection[str] = ()
) -> list[WriteGrant]:
    """Revoke them, in one transaction, or part of the one that is open; returns what there was.

    Those of the owner go first, and with them (CASCADE) what was handed on by means of them.
    """
    with connection.transaction():
        found = write_grants(connection, tables, keeping)
        for grant in found:
            if grant.grantor == OWNER:
                connection.execute(grant._statement("REVOKE", "FROM") + SQL(" CASCADE"))
        # What is left comes from roles that keep their own.
        while rest := [g for g in write_grants(connection, tables, keeping) if g.grantor != OWNER]:
            with _acting_as(connection, rest[0].grantor):
                connection.execute(rest[0]._statement("REVOKE", "FROM") + SQL(" CASCADE"))
    return found


def give(connection: psycopg.Connection[Any], grants: Sequence[WriteGrant]) -> list[WriteGrant]:
    """Grant them again, each by the role that had; returns those that cannot be given any more.

    A role or column may be gone, or the grantor may have lost the right to grant.
    """
    todo = [grant for grant in grants if _possible(connection, grant)]
    gone = [grant for grant in grants if grant not in todo]
    with connection.transaction():
        while ready := [grant for grant in todo if _may_grant(connection, grant)]:
            for grant in ready:
                with _acting_as(connection, grant.grantor):
                    option = SQL(" WITH GRANT OPTION") if grant.grantable else SQL("")
                    connection.execute(grant._statement("GRANT", "TO") + option)
            todo = [grant for grant in todo if grant not in ready]
    return [*gone, *todo]


@contextmanager
def _acting_as(connection: psycopg.Connection[Any], role: str) -> Iterator[None]:
    """Be the role until the end: what a superuser or the owner grants is the owner's grant, whoever is meant."""
    if role == OWNER:
        yield
        return
    own = _one(connection, "SELECT current_setting('role')")
    connection.execute("SELECT set_config('role', %s, true)", [role])
    yield
    connection.execute("SELECT set_config('role', %s, true)", [own])


def _possible(connection: psycopg.Connection[Any], grant: WriteGrant) -> bool:
    """Whether the table, the column and the roles are still there."""
    roles = {role for role in (grant.grantee, grant.grantor) if role not in (PUBLIC, OWNER)}
    there = (
        "SELECT to_regclass(%(table)s) IS NOT NULL AND (%(column)s::text IS NULL OR EXISTS (SELECT FROM"
        " pg_catalog.pg_attribute WHERE attrelid = to_regclass(%(table)s) AND attname = %(column)s AND NOT attisdropped))"
        " AND (SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = ANY (%(roles)s)) = %(count)s"
    )
    asked = {"table": _name(grant), "column": grant.column, "roles": list(roles), "count": len(roles)}
    return bool(_one(connection, there, asked))


def _may_grant(connection: psycopg.Connection[Any], grant: WriteGrant) -> bool:
    if grant.grantor == OWNER:
        return True
    privilege = f"{grant.privilege} WITH GRANT OPTION"
    if grant.column is None:
        return bool(
            _one(
                connection, "SELECT has_table_privilege(%s, %s, %s)", [grant.grantor, _name(grant), privilege]
            )
        )
    asked = [grant.grantor, _name(grant), grant.column, privilege]
    return bool(_one(connection, "SELECT has_column_privilege(%s, %s, %s, %s)", asked))


def _name(grant: WriteGrant) -> str:
    return Identifier(grant.schema, grant.table).as_string()


def _one(
    connection: psycopg.Connection[Any], sql: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> Any:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(sql.encode(), values).fetchone()
    return row[0] if row else None
