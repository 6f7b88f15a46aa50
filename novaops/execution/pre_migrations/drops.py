"""Looks up in the live database what a pre-migration drops: whether it exists, and how many rows it has."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg

from novaops.db.identifiers import quote_ident, quote_qualified
from novaops.desired.dropped import Dropped
from novaops.desired.lexer import words_in
from novaops.planning.hazards import hazard
from novaops.planning.live_data import ask
from novaops.planning.plan import Hazard

PATH_SETTERS = frozenset(["search_path", "role", "authorization"])
"""Settings that decide in which schemas a name is looked up: the path, and by "$user" in it the role."""


class _Existing(NamedTuple):
    kind: str
    schema: str | None
    name: str
    visible: bool

    @property
    def identity(self) -> str:
        return quote_qualified(*filter(None, (self.schema, self.name)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement is: the subject of its hazards, and the subjects of consents that cover it too.

    `before` are the names in the statements that run before it: these may create what does not exist yet, or
    change the search path.
    """

    subject: str
    also: tuple[str, ...]
    before: Set[str]


def drop_hazards(
    connection: psycopg.Connection[Any], hazard_name: str, dropped: Dropped, place: Place
) -> Iterator[Hazard]:
    """Report each live object that the name in a DROP may mean.

    What does not exist is no hazard, unless a statement that runs before may create it.
    """
    named = [o for o in _named(connection, dropped.names[-1]) if _is_meant(o, dropped, place)]
    found = [o for o in named if dropped.column is None or dropped.column in _columns(connection, o)]
    for each in found:
        identity = each.identity
        if dropped.column is not None:
            identity += f".{quote_ident(dropped.column)}"
        message, rows = _loss(connection, each, dropped)
        yield hazard(hazard_name, place.subject, message, rows, also=(*place.also, identity))
    missing = _missing(connection, dropped, bool(named))
    if not found and any(words_in(name) & place.before for name in missing):
        yield unseen_drop(hazard_name, dropped, place, ", which a statement before it may create")


def unseen_drop(hazard_name: str, dropped: Dropped, place: Place, note: str = "") -> Hazard:
    """Report a drop by its text alone, of an object that may not exist yet; `note` ends the message."""
    name = quote_qualified(*dropped.names)
    what, identity = f"{dropped.kind.lower()} {name}", name
    if dropped.column is not None:
        column = quote_ident(dropped.column)
        what, identity = f"column {column} of {name}", f"{name}.{column}"
    more = ", and what depends on it" if dropped.cascade else ""
    return hazard(hazard_name, place.subject, f"drops {what}{note}{more}", also=(*place.also, identity))


def _is_meant(found: _Existing, dropped: Dropped, place: Place) -> bool:
    if found.kind != dropped.kind:
        return False
    if len(dropped.names) > 1:
        return found.schema == dropped.names[-2]
    return found.visible or not place.before.isdisjoint(PATH_SETTERS)


def _missing(connection: psycopg.Connection[Any], dropped: Dropped, named: bool) -> list[str]:
    """Return the names whose creation would make the object exist."""
    if named:
        return [dropped.column] if dropped.column is not None else []
    schemas = [s for s in dropped.names[:-1] if all(o.kind != "SCHEMA" for o in _named(connection, s))]
    return [*schemas, dropped.names[-1]]


def _named(connection: psycopg.Connection[Any], name: str) -> list[_Existing]:
    rows = connection.execute(_query("droppable"), {"names": [name]})
    return [_Existing(*row) for row in rows]


def _columns(connection: psycopg.Connection[Any], found: _Existing) -> set[str]:
    return {name for (name,) in connection.execute(_query("columns"), [found.identity])}


def _loss(connection: psycopg.Connection[Any], found: _Existing, dropped: Dropped) -> tuple[str, int | None]:
    """Say what is lost, with the number of rows or values where they can be counted."""
    more = ", and what depends on it" if dropped.cascade else ""
    if found.kind != "TABLE":
        return f"drops {found.kind.lower()} {found.identity}{more}", None
    if dropped.column is None:
        row = ask(connection, f"SELECT count(*) FROM {found.identity}")
        return f"drops table {found.identity}{_counted(row, 'row')}{more}", row[0] if row else None
    column = quote_ident(dropped.column)
    row = ask(connection, f"SELECT count({column}) FROM {found.identity}")
    message = f"drops column {column} of {found.identity}{_counted(row, 'value')}{more}"
    return message, row[0] if row else None


def _counted(row: Any, unit: str) -> str:
    if row is None:
        return ""
    return f" with {row[0]:,} {unit}{'' if row[0] == 1 else 's'}"


def _query(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text()
