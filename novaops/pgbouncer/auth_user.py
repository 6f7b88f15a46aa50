"""The role that pgbouncer asks for secrets as (auth_query).

Its password stands in userlist.txt as it is: to log in to the server, pgbouncer needs the client's half of a
SCRAM secret, which no verifier holds. With other users it learns that half from the clients; this one has none.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from psycopg.sql import SQL, Identifier, Literal

from novaops.config import Setting, run_password_command
from novaops.errors import NovaopsError
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.inventory import Settings
from novaops.pgbouncer.scram import kind_of, matches
from novaops.pgbouncer.server import Server

MARK = "pgbouncer asks for the secrets of others as this role; novaops made it and changes its password."
ASK_MARK = """
SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s
"""


def auth_password(
    settings: Settings, installation: Installation, servers: Collection[Server], *, dry_run: bool
) -> str:
    """The password of the auth user, which is the same on all servers.

    It comes from `auth_password_command`, or is the one in userlist.txt. Without either novaops makes role and
    password; a role of that name that it has not made is left alone (`NovaopsError`).
    """
    user = settings.auth_user
    if settings.auth_password_command:
        return run_password_command(Setting(settings.auth_password_command, "auth_password_command"))
    known = installation.userlist.secrets().get(user, "")
    if kind_of(known) == "plain" and all(_is_password(known, server, user) for server in servers):
        return known
    password = secrets.token_urlsafe(32)
    for server in servers:
        roles = server.roles([user])
        if roles is None:
            raise NovaopsError(
                f"{server.identity.user} may not make or change the role {user}",
                hint="connect as a superuser, or give the password of an existing role by auth_password_command in "
                "[pgbouncer] of novaops.toml",
            )
        if user in roles and not _ours(server, user):
            raise NovaopsError(
                f"the password of the role {user}, which pgbouncer asks for secrets as, is not known",
                detail="userlist.txt has none that fits, and novaops did not make that role",
                hint="give it by auth_password_command in [pgbouncer] of novaops.toml, or name a role that does not "
                "exist yet by auth_user: novaops makes it",
            )
    if not dry_run:
        for server in servers:
            _make(server, user, password)
    return password


def _make(server: Server, user: str, password: str) -> None:
    verifier = server.verifier_of(password, user)
    with server.connection.transaction():
        if user in (server.roles([user]) or {}):
            server.set_verifier(user, verifier)
        else:
            server.create_role(user, verifier)
            mark = SQL("COMMENT ON ROLE {} IS {}").format(Identifier(user), Literal(MARK))
            server.connection.execute(mark)


def _ours(server: Server, user: str) -> bool:
    row = server.connection.execute(ASK_MARK, [user]).fetchone()
    return row is not None and row[0] == MARK


def _is_password(password: str, server: Server, user: str) -> bool:
    """Whether it is that of the role, as far as this login may know."""
    roles = server.roles([user])
    if roles is None:
        return True
    role = roles.get(user)
    return (
        role is not None and bool(role.verifier) and matches(password, role.verifier or "", user) is not False
    )
