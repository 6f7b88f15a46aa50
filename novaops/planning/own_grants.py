"""Privileges that other commands of novaops have given or taken away: plans leave them as they are, in every mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege

Privileges = frozenset[Privilege]
MADE_BY_REPLICATE = "novaops replicate made this role: a subscription logs in as it."
"""Comment on the roles that `novaops replicate` creates."""
ROLES = """
SELECT rolname::text FROM pg_catalog.pg_roles WHERE shobj_description(oid, 'pg_authid') = %s
"""
TAKEN_READABLE = """
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'novaops' AND c.relname = 'replica_grant'
"""
TAKEN = """
SELECT schema, "table", "column", privilege, grantee FROM novaops.replica_grant
"""


@dataclass(frozen=True, slots=True)
class OwnGrants:
    """`roles` keep all that they hold, `given` are single privileges that stay, `taken` those that are not given again."""

    roles: frozenset[str] = frozenset()
    given: frozenset[tuple[Address, str, str]] = frozenset()
    """Objects, each with a grantee and a privilege; and so in `taken`."""
    taken: frozenset[tuple[Address, str, str]] = frozenset()

    def kept(self, obj: Object, held: Privileges, goal: Privileges) -> Privileges:
        """Return the goal with what is held and stays, and without what is not given again."""
        stay = {p for p in held if p.grantee in self.roles or _key(obj, p) in self.given}
        return frozenset(p for p in goal if p in held or _key(obj, p) not in self.taken) | stay


def own_grants(
    connection: psycopg.Connection[Any], declared: Iterable[tuple[Address, str, str]] = ()
) -> OwnGrants:
    """Read what novaops has given and taken in a database; `declared` are privileges that it gives besides."""
    roles = frozenset(name for (name,) in connection.execute(ROLES, [MADE_BY_REPLICATE]))
    readable = connection.execute(TAKEN_READABLE).fetchone()
    rows = connection.execute(TAKEN).fetchall() if readable and readable[0] else []
    taken = frozenset((_place(*place), grantee, privilege) for *place, privilege, grantee in rows)
    return OwnGrants(roles, frozenset(declared), taken)


def _key(obj: Object, privilege: Privilege) -> tuple[Address, str, str]:
    return obj.address, privilege.grantee, privilege.privilege


def _place(schema: str, table: str, column: str | None) -> Address:
    if column is None:
        return Address("table", (schema, table))
    return Address("table column", (schema, table, column))
