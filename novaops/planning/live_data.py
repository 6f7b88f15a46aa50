"""Questions to the live data: asked with a time limit, and never hidden from by row security."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

COUNT_TIMEOUT = "2s"


def ask(connection: psycopg.Connection[Any], sql: str) -> Sequence[Any] | None:
    """First row of a query on the live data; None when it failed or took too long.

    Row security must not hide rows (`row_security = off` makes such a query fail instead).
    """
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL row_security = off")
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [COUNT_TIMEOUT])
            return cursor.execute(sql).fetchone()
    except (psycopg.errors.OperationalError, psycopg.errors.DatabaseError):
        if connection.closed:
            raise
        return None
