"""The settings that every session of ours has, whatever the server, the database or the role says.

A database may have any of them by ALTER DATABASE or ALTER ROLE … SET, and a shadow made beside it has not. Without
these the same statement would mean one thing where it is read and make another where it is applied.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from novaops.errors import NovaopsError

PINNED = {
    # Would end our work half-way; 0 is "off". transaction_timeout exists since 17.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # What a transaction is that does not say otherwise.
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # Where a table or an index goes that names no place, and how it is stored: where the files say "the default",
    # that of the database is meant (pg_class.reltablespace 0), and the table access method of PostgreSQL.
    "default_tablespace": "",
    "default_table_access_method": "heap",
    # How text is written for us; what is left out of DateStyle, the order of day and month, stays as it was.
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
}
READING = ("TimeZone", "DateStyle")
"""What a constant of the files means: a shadow reads them as a session of the target would."""
_PIN = "SELECT set_config(s.name, p.value, false) FROM unnest(%s::text[], %s::text[]) AS p (name, value) JOIN pg_settings s USING (name)"


def pin(connection: psycopg.Connection[Any]) -> None:
    """Give the session its settings; those that the server does not know are left out."""
    connection.execute(_PIN, [list(PINNED), list(PINNED.values())])


def time_zone(connection: psycopg.Connection[Any]) -> str:
    """The session's TimeZone; the server reports it, so that this asks nothing."""
    return connection.info.parameter_status("TimeZone") or "UTC"


def set_time_zone(connection: psycopg.Connection[Any], zone: str) -> None:
    """Set the session's TimeZone, before anything else is done in it; raises `NovaopsError` as `read_like` does."""
    _set(connection, "TimeZone", zone)


def read_like(connection: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> None:
    """Let the session read constants as one of `target` does.

    To be called before anything else is done in it. Raises `NovaopsError` where its server does not know the time zone.
    """
    for name in READING:
        if (value := target.info.parameter_status(name)) is not None:
            _set(connection, name, value)


def _set(connection: psycopg.Connection[Any], name: str, value: str) -> None:
    try:
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        # A session in which everything will be rolled back is to keep it.
        if connection.info.transaction_status is TransactionStatus.INTRANS and not connection.autocommit:
            connection.commit()
    except psycopg.errors.InvalidParameterValue as error:
        info = connection.info
        raise NovaopsError(
            f"the server at {info.host}:{info.port} does not know the {name} {value}",
            detail=error.diag.message_primary,
            hint=f"set one that it knows: ALTER DATABASE … SET {name} = …",
        ) from error
