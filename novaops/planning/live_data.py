"""Questions to the live data: asked with a time limit, and never hidden from by row security."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

COUNT_TIMEOUT = "2s"


def ask(connection: psycopg.Connection[Any], sql: str) -> Sequence[Any] | None:
    """First row of a query on the live data; None when it failed or took too long.

    Checks and views run functions, which must not write. Row security must not hide rows (`row_security = off` makes such a query fail instead). On an
    autocommit connection one message is one transaction; there may be thousands of questions.
    """
    try:
        return question(connection, sql, COUNT_TIMEOUT)
    except (psycopg.errors.OperationalError, psycopg.errors.DatabaseError):
        if connection.closed:
            raise
        return None


def question(connection: psycopg.Connection[Any], sql: str, timeout: str) -> Sequence[Any] | None:
    """First row of a query on the live data, which may fail or take longer than that."""
    pinned = (
        "SET LOCAL transaction_read_only = on; SET LOCAL row_security = off;"
        f" SET LOCAL statement_timeout = '{timeout}'"
    )
    cursor = connection.execute(f"{pinned}; {sql}")
    while cursor.nextset():
        pass
    return cursor.fetchone()
