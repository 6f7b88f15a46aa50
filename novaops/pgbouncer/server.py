"""What the aliases need to know from the PostgreSQL server: roles and their verifiers, databases, limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Identifier, Literal

from novaops.db.connection import ServerIdentity, connect, identify
from novaops.db.own_schema import ensure_own_schema
from novaops.errors import NovaopsError

FOLDER = Path(__file__).parent
FUNCTION = "novaops.pgbouncer_auth"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LIMITS = """
SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int,
       coalesce(current_setting('reserved_connections', true)::int, 0)
"""
# What a right on the function says: its owner, and the one user that may call it.
FUNCTION_STATE = """
SELECT pg_get_functiondef(p.oid),
       ARRAY(SELECT grantee::regrole::text FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
             WHERE grantee <> p.proowner AND grantee <> 0 ORDER BY 1),
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0),
       o.rolsuper
FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
WHERE p.oid = to_regprocedure('novaops.pgbouncer_auth(text)')
"""
REPLICAS = """
SELECT s.subname, d.datname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the server. `verifier` is what pg_authid holds; None where it has no password."""

    name: str
    verifier: str | None
    can_log_in: bool
    superuser: bool
    replication: bool
    expired: bool

    def __repr__(self) -> str:
        return f"Role({self.name!r})"


class Server:
    """A direct connection to a server that aliases lead to."""

    def __init__(self, conninfo: Mapping[str, str]) -> None:
        self.conninfo = dict(conninfo)
        self.connection = connect(self.conninfo)
        self.identity: ServerIdentity = identify(self.connection)

    def close(self) -> None:
        self.connection.close()

    def roles(self, names: Iterable[str]) -> dict[str, Role] | None:
        """The roles that exist of `names`; None where this login may not read verifiers."""
        try:
            rows = self.connection.execute((FOLDER / "roles.sql").read_text(), [list(names)]).fetchall()
        except errors.InsufficientPrivilege:
            return None
        return {row[0]: Role(*row) for row in rows}

    def databases(self) -> set[str]:
        rows = self.connection.execute("SELECT datname FROM pg_database").fetchall()
        return {row[0] for row in rows}

    def subscribers(self) -> dict[str, list[str]]:
        """The databases that subscribe to others, with their subscriptions."""
        found: dict[str, list[str]] = {}
        for subscription, database in self.connection.execute(REPLICAS).fetchall():
            found.setdefault(database, []).append(subscription)
        return found

    def limits(self) -> tuple[int, int]:
        """max_connections, and how many of them are for everybody."""
        row = self.connection.execute(LIMITS).fetchone()
        assert row is not None  # noqa: S101
        return row[0], row[0] - row[1] - row[2]

    def verifier_of(self, password: str, role: str) -> str:
        """The SCRAM verifier of a password, made here: the password itself is never sent."""
        made = self.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        return made.decode()

    def set_verifier(self, role: str, verifier: str) -> None:
        """ALTER ROLE, with the verifier in place of a password."""
        self.connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Literal(verifier)))

    def create_role(self, role: str, verifier: str) -> None:
        self.connection.execute(
            SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(role), Literal(verifier))
        )

    def drop_role(self, role: str) -> None:
        self.connection.execute(SQL("DROP ROLE {}").format(Identifier(role)))

    # -- the function for auth_query --------------------------------------------------------

    def auth_function_state(self, auth_user: str) -> str | None:
        """What is missing of the function in this database; None where nothing is."""
        row = self.connection.execute(FUNCTION_STATE).fetchone()
        if row is None:
            return f"the function {FUNCTION} is missing"
        definition, grantees, public, superuser = row
        if public:
            return f"everybody may call {FUNCTION}"
        if grantees != [auth_user] and grantees != [Identifier(auth_user).as_string(self.connection)]:
            return f"{FUNCTION} may be called by {', '.join(grantees) or 'nobody'}, not by {auth_user} alone"
        if not superuser:
            return f"the owner of {FUNCTION} is no superuser, so it cannot read pg_authid"
        return None if _body() in definition else f"the function {FUNCTION} is not the one of this novaops"

    def install_auth_function(self, auth_user: str) -> None:
        """Make the function, callable by the auth user alone; nothing happens where it is there."""
        if self.auth_function_state(auth_user) is None:
            return
        ensure_own_schema(self.connection)
        try:
            with self.connection.transaction():
                self.connection.execute((FOLDER / "auth_function.sql").read_text())
                user = Identifier(auth_user)
                for statement in (
                    SQL("REVOKE ALL ON FUNCTION novaops.pgbouncer_auth(text) FROM PUBLIC"),
                    SQL("GRANT USAGE ON SCHEMA novaops TO {}").format(user),
                    SQL("GRANT EXECUTE ON FUNCTION novaops.pgbouncer_auth(text) TO {}").format(user),
                ):
                    self.connection.execute(statement)
        except errors.InsufficientPrivilege as error:
            raise NovaopsError(
                f"{self.conninfo.get('user')} may not make {FUNCTION} in {self.identity}",
                detail=str(error).strip(),
                hint="connect as a superuser: it runs with the rights of its owner, and reads pg_authid",
            ) from None
        if left := self.auth_function_state(auth_user):
            raise NovaopsError(
                f"{left} in {self.identity}",
                hint=f"connect as a superuser; REVOKE EXECUTE ON FUNCTION {FUNCTION}(text) FROM whoever else has it",
            )


@cache
def _body() -> str:
    return (FOLDER / "auth_function.sql").read_text().split("$$")[1]


def open_servers(
    base: Mapping[str, str], places: Iterable[tuple[str, int, str]]
) -> tuple[dict[tuple[str, int, str], Server], dict[tuple[str, int, str], str]]:
    """A connection for each (host, port, database) with the login of `base`, and why others have none."""
    opened: dict[tuple[str, int, str], Server] = {}
    failed: dict[tuple[str, int, str], str] = {}
    for host, port, database in dict.fromkeys(places):
        given = {**base, "host": host, "port": str(port), "dbname": database}
        if not _same_place(base, host, port):
            # It belongs to where the login of `base` is (PGPASSWORD and .pgpass are libpq's own business).
            given.pop("password", None)
            given.pop("hostaddr", None)
        try:
            opened[host, port, database] = Server(given)
        except NovaopsError as error:
            failed[host, port, database] = f"{error.message}{f': {error.detail}' if error.detail else ''}"
        except psycopg.Error as error:
            failed[host, port, database] = str(error).strip()
    return opened, failed


def _same_place(base: Mapping[str, str], host: str, port: int) -> bool:
    given = base.get("host", "")
    same_host = given == host or {given, host} <= LOOPBACK
    return same_host and base.get("port", "5432") == str(port)
