"""Routines that may read a column that goes, or changes its type: their bodies are text to PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from novaops.catalog.object import Object
from novaops.planning.changes import Alter, Change, Drop
from novaops.planning.draft import Draft
from novaops.planning.nodes import kind_of

WORD = re.compile(r"[^\W\d][\w$]*")
COLUMN = "table column"
NAMED = 5
"""How many routines are named for a column before the rest is counted."""


def readers(made: Draft) -> Iterator[str]:
    """A line for each such column whose name, and that of its table, stand in the body of a routine that stays as it is.

    Words are compared, not meanings: it is a hint where to look, and says so.
    """
    told = [
        (column, what) for change in made.changes.values() for column, what in _lost_to_readers(change, made)
    ]
    if not told:
        return
    words = {
        o.identity: _words(o)
        for o in made.scene.desired
        if kind_of(o).opaque(o) and o.address not in made.changes
    }
    for column, what in told:
        names = frozenset(name.lower() for name in column.address.names[-2:])
        found = sorted(identity for identity, known in words.items() if names <= known)
        if found:
            more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
            yield (
                f"{column.identity} {what}, and its name is in the body of {', '.join(found[:NAMED])}{more}:"
                " see whether they still do what they should"
            )


def _lost_to_readers(change: Change, made: Draft) -> Iterator[tuple[Object, str]]:
    """The column that is no more what readers know, and what becomes of it."""
    match change:
        case Drop(old) if old.address.type == COLUMN and old.parent in made.scene.desired.objects:
            yield old, "is dropped"
        case Alter(old, new) if old.address.type == COLUMN and old["type"] != new["type"]:
            yield old, "changes its type"


def _words(routine: Object) -> frozenset[str]:
    return frozenset(word.lower() for word in WORD.findall(routine.attributes.get("body") or ""))
