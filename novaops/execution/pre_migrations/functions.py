"""Asks the server what the functions may do that statements call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg

from novaops.desired.destructive import Judgement


class Reach(NamedTuple):
    """Whether some function of a name may change something, or act beyond the database (a slot, a session)."""

    changes: bool
    beyond: bool


def reach(connection: psycopg.Connection[Any], judgements: Iterable[Judgement]) -> Mapping[str, Reach]:
    """By the name of the function, in whatever schema; a name that no function has is not in it."""
    names = {n for j in judgements for n in j.calls | j.opaque}
    if not names:
        return {}
    query = files(__package__).joinpath("volatile_functions.sql").read_text()
    return {name: Reach(*found) for name, *found in connection.execute(query, [sorted(names)])}
