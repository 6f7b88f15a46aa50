"""Tells cheaply whether anybody has changed the schema of a database since it was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import psycopg


def stamp(connection: psycopg.Connection[Any], apart: Sequence[int] = ()) -> str:
    """The state of the catalogs, as the transaction of the connection sees it; objects with the oids `apart` do not count.

    It is equal as long as no object comes, goes or changes. Unlike a fingerprint it means nothing on another
    server, and it is had in some milliseconds: it can be taken before a commit, while locks are held.
    """
    text = files("novaops.execution").joinpath("stamp.sql").read_text(encoding="utf-8")
    row = connection.execute(text, {"apart": list(apart)}).fetchone()
    assert row is not None  # noqa: S101
    return str(row[0])
