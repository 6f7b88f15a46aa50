"""The subscription on the target: made disabled and without a slot of its own, then enabled."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Composed, Identifier, Literal

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair
from novaops.replication.reach import connection_string

PASSWORD = re.compile(r"no password supplied|password authentication failed", re.IGNORECASE)


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


def refused(replication: Replication, error: psycopg.Error, verb: str = "made") -> NovaopsError:
    """Why the server did not make or alter it, and what to do."""
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
        f"the subscription {replication.subscription} could not be {verb} in {replication.target.database}",
        detail=detail,
        hint=f"{command_line('replicate', '--check', *replication.options)} shows what is in the way",
    )


def reconnect(target: psycopg.Connection[Any], replication: Replication, conninfo: str) -> None:
    """Let it reach the source by another connection string, which holds no password.

    ALTER SUBSCRIPTION would take one that leads nowhere: the server tries it first, with a subscription that is
    rolled back. Raises `NovaopsError` when it cannot get in.
    """
    trial = SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH ({})").format(
        Identifier(f"novaops_trial_{target.info.backend_pid}"),
        Literal(conninfo),
        Identifier(replication.publication),
        SQL("slot_name = NONE, create_slot = false, enabled = false, copy_data = false"),
    )
    try:
        with target.transaction(force_rollback=True):
            target.execute(trial)
    except psycopg.Error as error:
        raise refused(replication, error, "altered") from error
    connect_by(target, replication.subscription, conninfo)


def connect_by(target: psycopg.Connection[Any], name: str, conninfo: str) -> None:
    """`ALTER SUBSCRIPTION name CONNECTION …`; its worker ends, and another one begins."""
    target.execute(SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(Identifier(name), Literal(conninfo)))


def alter(target: psycopg.Connection[Any], name: str, action: str) -> None:
    """`ALTER SUBSCRIPTION name ENABLE`, `DISABLE`, `SET (…)`, `REFRESH PUBLICATION`."""
    target.execute(SQL("ALTER SUBSCRIPTION {} {}").format(Identifier(name), SQL(action)))


def drop(target: psycopg.Connection[Any], name: str) -> None:
    """Drop it without its slot, which would be dropped over a connection that hangs where it is the same server."""
    alter(target, name, "DISABLE")
    alter(target, name, "SET (slot_name = NONE)")
    target.execute(SQL("DROP SUBSCRIPTION {}").format(Identifier(name)))
