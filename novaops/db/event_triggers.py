"""Turn event triggers off in a session."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import errors

from novaops.errors import NovaopsError, UsageError

SINCE = 170000


def turn_off(connection: psycopg.Connection[Any]) -> None:
    """Let no event trigger fire in this session.

    The setting `event_triggers` (documentation, section 19.11.1) came with PostgreSQL 17; superusers may change it, and
    who was granted SET on it.
    """
    if connection.info.server_version < SINCE:
        raise UsageError(
            "--no-event-triggers needs PostgreSQL 17 or later",
            hint="ALTER EVENT TRIGGER … DISABLE by hand, apply, and ALTER EVENT TRIGGER … ENABLE",
        )
    try:
        connection.execute("SET event_triggers = off")
    except errors.InsufficientPrivilege as error:
        raise NovaopsError(
            f"role {connection.info.user} may not turn event triggers off; nothing was applied",
            detail=error.diag.message_primary,
            hint=f"apply as a superuser, or: GRANT SET ON PARAMETER event_triggers TO {connection.info.user}",
        ) from error
