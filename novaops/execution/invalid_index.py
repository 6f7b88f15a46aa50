"""Indexes that are not valid: left behind by a build that failed, or being built right now."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any

import psycopg

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.planning.plan import Plan


def remove_remains(connection: psycopg.Connection[Any], index: str | None, lock_timeout: timedelta) -> None:
    """Drop what a failed build has left of the index.

    That waits for all who use the table, so no longer than `lock_timeout`. Somebody else's index of that name is left alone: it is valid, or is being built.
    """
    row = _invalid(connection, index) if index is not None else None
    if row is not None and row[0] is None:
        connection.execute(f"SET lock_timeout = {int(lock_timeout.total_seconds() * 1000)}")
        connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")


def check_no_build(connection: psycopg.Connection[Any], plan: Plan) -> None:
    """Raise `NovaopsError` when somebody is just building an index that the plan would drop as not valid."""
    for index in dict.fromkeys(
        s.object for s in plan.statements if s.kind == "index" and s.operation != "create"
    ):
        row = _invalid(connection, index)
        if row is not None and row[0] is not None:
            raise NovaopsError(
                f"pid {row[0]} is building {index} just now; nothing was applied",
                detail="it is not valid yet, and the plan would put another in its place",
                hint=f"plan again when it is ready: {command_line('plan')}",
            )


def _invalid(connection: psycopg.Connection[Any], index: str) -> tuple[int | None] | None:
    query = files("novaops.execution").joinpath("invalid_index.sql").read_text()
    row: tuple[int | None] | None = connection.execute(query, {"index": index}).fetchone()
    return row
