"""Questions to the live data: asked with a time limit, and never hidden from by row security."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

COUNT_TIMEOUT = "2s"
# SQLSTATEs that say nothing of a row (documentation, appendix A): the server, the session, the rights of the role, a
# time limit, a function that writes in a read-only transaction, and names that the plan may be about to make.
NOT_OF_A_ROW = ("08", "25", "40", "53", "55", "57", "58", "F0", "XX", "42501")
UNDEFINED = ("42P01", "42703", "42704", "42883", "3F000")


@dataclass(frozen=True, slots=True)
class RowError:
    """The error that PostgreSQL raises when it evaluates a query for some row, in the server's words."""

    message: str


def ask(connection: psycopg.Connection[Any], sql: str) -> Sequence[Any] | None:
    """First row of a query on the live data; None when it failed or took too long."""
    answer = examine(connection, sql)
    return None if isinstance(answer, RowError) else answer


def examine(
    connection: psycopg.Connection[Any], sql: str, timeout: str = COUNT_TIMEOUT
) -> Sequence[Any] | RowError | None:
    """Return the first row of a query on the live data, or the error that a row raises in it; None: nobody knows.

    Checks and views run functions, which must not write. Row security must not hide rows (`row_security = off` makes such a query fail instead). On an
    autocommit connection one message is one transaction; there may be thousands of questions.
    """
    try:
        return question(connection, sql, timeout)
    except psycopg.Error as error:
        if connection.closed:
            raise
        if not _may_be_of_a_row(error):
            return None
        message = error.diag.message_primary or str(error)
    try:
        # A query that cannot even be planned has met no row.
        question(connection, f"EXPLAIN {sql}", timeout)
    except psycopg.Error:
        if connection.closed:
            raise
        return None
    return RowError(message)


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


def _may_be_of_a_row(error: psycopg.Error) -> bool:
    state = error.sqlstate
    return state is not None and state not in UNDEFINED and not state.startswith(NOT_OF_A_ROW)
