"""The subscription on the target: made disabled and without a slot of its own, then enabled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Literal

from novaops.errors import NovaopsError
from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair

# Of the keywords with which novaops reaches the source, those that mean the same to the target's server; files are the
# server's own affair.
SHARED = ("host", "hostaddr", "port", "user", "service", "sslmode", "require_auth", "channel_binding")
PASSWORD = re.compile(r"no password supplied|password authentication failed", re.IGNORECASE)


def connection_string(replication: Replication) -> str:
    """How the target's server reaches the source; holds no password."""
    known = replication.source.parameters
    given: Mapping[str, str] = replication.server_conninfo
    ours = {} if "service" in given else {name: known[name] for name in SHARED if name in known}
    role = {"user": replication.role} if replication.role else {}
    return make_conninfo(**{**ours, **role, **given, "dbname": replication.source.database})


def create(pair: Pair, replication: Replication, *, copy: bool) -> None:
    """Make it, disabled. Raises `NovaopsError` when the server cannot get in at the source."""
    options: list[Composed | SQL] = [
        SQL("slot_name = {}").format(Literal(replication.slot)),
        SQL("create_slot = false, enabled = false, disable_on_error = true"),
        SQL("copy_data = {}").format(SQL("true" if copy else "false")),
    ]
    if replication.direction == "both":
        options.append(SQL("origin = none"))
    sql = SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH ({})").format(
        Identifier(replication.subscription),
        Literal(connection_string(replication)),
        Identifier(replication.publication),
        SQL(", ").join(options),
    )
    try:
        pair.target.connection.execute(sql)
    except psycopg.Error as error:
        raise refused(replication, error) from error


def refused(replication: Replication, error: psycopg.Error) -> NovaopsError:
    """Why the server did not make it, and what to do."""
    said = error.diag.message_primary or str(error)
    detail = "; ".join(filter(None, [said, error.diag.message_detail]))
    if "password is required" in detail.lower():
        return NovaopsError(
            f"a subscription of role {replication.target.parameters.get('user', '')}, who is no superuser, must hold a password",
            detail=f"{detail}; in it everybody with the right role, and every dump, could read it",
            hint="set it up as a superuser of the target, whose server then takes the password from a passfile or service",
        )
    if PASSWORD.search(detail):
        return NovaopsError(
            f"the server of {replication.target.database} cannot log in at {replication.source}",
            detail=detail,
            hint="tell the server where its password is, in a file that its operating-system user may read (0600): "
            f'[[replication]] name = "{replication.name}" … server = {{ passfile = "…" }} or {{ service = "…" }}',
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return NovaopsError(
            f"role {replication.target.parameters.get('user', '')} may not make a subscription in "
            f"{replication.target.database}",
            detail=detail,
            hint="before PostgreSQL 16 only superusers may; from 16 on: GRANT pg_create_subscription TO the role, "
            "and CREATE on the database",
        )
    return NovaopsError(
        f"the subscription {replication.subscription} could not be made in {replication.target.database}",
        detail=detail,
        hint=f"novaops replicate --check --to {replication.target.database} shows what is in the way",
    )


def alter(target: psycopg.Connection[Any], name: str, action: str) -> None:
    """`ALTER SUBSCRIPTION name ENABLE`, `DISABLE`, `SET (…)`, `REFRESH PUBLICATION`."""
    target.execute(SQL("ALTER SUBSCRIPTION {} {}").format(Identifier(name), SQL(action)))


def drop(target: psycopg.Connection[Any], name: str) -> None:
    """Drop it without its slot, which would be dropped over a connection that hangs where it is the same server."""
    alter(target, name, "DISABLE")
    alter(target, name, "SET (slot_name = NONE)")
    target.execute(SQL("DROP SUBSCRIPTION {}").format(Identifier(name)))
