"""Tells whether a transaction would change what does not belong to its database alone."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import psycopg

FORGET = "SELECT pg_catalog.pg_stat_force_next_flush()"
"""Ends the counting of what a transaction has done, which otherwise goes on for up to a second after its end."""


@cache
def query() -> str:
    """The query that tells whether the transaction it runs in has changed a shared catalog; one column, one row."""
    text = files("novaops.db").joinpath("shared_catalogs.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def changed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the transaction of the connection has; it counts from the last `FORGET`."""
    row = connection.execute(query()).fetchone()
    return row is not None and bool(row[0])
