"""Embedded clusters for shadows: each has the roles of the target that uses it, and of no other.

Roles belong to a cluster, and whether one exists decides what schema files mean, also inside of a DO
block. So the roles of a cluster are changed only while no other run uses it; a run whose target has
other roles meanwhile takes the next cluster. Databases of people (`--embedded`) are in another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row

from novaops.db.connection import connect
from novaops.db.embedded import SUPERUSER, EmbeddedServer, default_directory, wheel_binaries
from novaops.db.file_lock import FileLock
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.desired.shadow import sweep

# Names that begin with pg_ are PostgreSQL's own (documentation, "Predefined Roles").
_ROLES = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE NOT starts_with(rolname, 'pg_')"
_SUPERUSERS = f"{_ROLES} AND rolsuper"
_MEMBERS = """
SELECT r.rolname::text, m.rolname::text, bool_or(a.admin_option), bool_or(a.inherit_option), bool_or(a.set_option)
FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
JOIN pg_catalog.pg_roles m ON m.oid = a.member
WHERE NOT starts_with(m.rolname, 'pg_')
GROUP BY 1, 2
"""
Membership = tuple[str, str, bool, bool, bool]
"""A role, its member, and whether that may grant it, inherits from it, may become it."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of a cluster and their members; `superusers` may do in a shadow what the files need."""

    names: frozenset[str]
    superusers: frozenset[str]
    members: frozenset[Membership]

    @classmethod
    def of_target(cls, target: psycopg.Connection[Any]) -> Roles:
        """Read the roles that a shadow of `target` needs: there its own role is a superuser."""
        found = cls.of_cluster(target)
        superusers = frozenset({SUPERUSER, target.info.user})
        return cls(found.names | superusers, superusers, found.members)

    @classmethod
    def of_cluster(cls, connection: psycopg.Connection[Any]) -> Roles:
        """Read the roles that there are."""
        cursor = connection.cursor(row_factory=tuple_row)
        names, superusers = (
            frozenset(name for (name,) in cursor.execute(query)) for query in (_ROLES, _SUPERUSERS)
        )
        return cls(names, superusers, frozenset(cursor.execute(_MEMBERS).fetchall()))

    def reached_from(self, there: Roles, password: str) -> Iterator[str]:
        """Yield the statements that lead from the roles `there` are to these; superusers log in by `password`."""
        for role, member, *_ in sorted(there.members - self.members):
            yield f"REVOKE {quote_ident(role)} FROM {quote_ident(member)}"
        for name in sorted(there.names - self.names):
            yield f"DROP ROLE {quote_ident(name)}"
        for name in sorted(self.names - there.names):
            yield f"CREATE ROLE {quote_ident(name)} NOLOGIN"
        for name in sorted(there.superusers & self.names - self.superusers):
            yield f"ALTER ROLE {quote_ident(name)} NOSUPERUSER NOLOGIN"
        for name in sorted(self.superusers - there.superusers):
            yield f"ALTER ROLE {quote_ident(name)} SUPERUSER LOGIN PASSWORD {quote_literal(password)}"
        for role, member, admin, inherit, become in sorted(self.members - there.members):
            yield (
                f"GRANT {quote_ident(role)} TO {quote_ident(member)}"
                f" WITH ADMIN {admin}, INHERIT {inherit}, SET {become}"
            )


@contextmanager
def cluster_like(target: psycopg.Connection[Any]) -> Iterator[dict[str, str]]:
    """Run an embedded cluster with the target's roles; yield what connects to it as the target's own role."""
    major = target.info.server_version // 10000
    wheel_binaries(major)  # where there is none of the version, that is the error
    roles = Roles.of_target(target)
    for number in count(1):
        directory = default_directory(major)
        server = EmbeddedServer(directory.with_name(f"{directory.name}-shadow-{number}"), major)
        with ExitStack() as stack:
            stack.enter_context(server.running())
            if _prepared(server, roles, stack.enter_context(FileLock(server.passfile))):
                yield {**server.complete_parameters(), "user": target.info.user, "dbname": "postgres"}
                return


def _prepared(server: EmbeddedServer, wanted: Roles, users: FileLock) -> bool:
    """Give the cluster the roles unless it has them; False where another run uses it with other roles.

    Every run holds the lock `users` along with the others. Here one at a time may try to have it alone.
    """
    url = make_conninfo(**server.complete_parameters(), dbname="postgres")
    with server.locked(), closing(connect(url)) as connection:
        users.share()
        there = Roles.of_cluster(connection)
        if there == wanted:
            return True
        if not users.alone():
            return False
        sweep(connection, url)  # what killed runs have left keeps roles from being dropped
        with connection.transaction():
            for statement in wanted.reached_from(there, server.password):
                connection.execute(statement)
        users.share()
        return True
