"""What in a pre-migration may do harm, and so needs consent: `data-loss:pre-migrations/0003_fix.sql:12`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from novaops.desired.destructive import UNKNOWN, Judgement, judge
from novaops.desired.lexer import words_in
from novaops.desired.split import Statement
from novaops.execution.pre_migrations.drops import Place, drop_hazards, unseen_drop
from novaops.execution.pre_migrations.files import PRE, Migration
from novaops.execution.pre_migrations.functions import Reach, reach
from novaops.planning.hazards import hazard
from novaops.planning.plan import Hazard

PLACE = "pre-migrations"
"""The folder in the names of hazards, wherever it is: consent in a script outlives a move."""


def hazards(
    connection: psycopg.Connection[Any], migrations: Sequence[Migration]
) -> Mapping[str, tuple[Hazard, ...]]:
    """By the name of the file, for those that have any.

    Asks the server which functions may change something, and whether what is dropped exists. Files of the second
    phase run after statements of the plan, which may create anything.
    """
    judged = {m.name: [(s, judge(s)) for s in m.statements] for m in migrations}
    functions = reach(connection, [j for pairs in judged.values() for _, j in pairs])
    before: set[str] = set()
    found: dict[str, tuple[Hazard, ...]] = {}
    for migration in migrations:
        told: list[Hazard] = []
        for statement, judgement in judged[migration.name]:
            if migration.phase == PRE:
                told += _hazards(connection, _place(migration, statement, before), judgement, functions)
            else:
                told += _unlocated(_place(migration, statement, before), judgement, functions)
            if statement.words[0] != "DROP":
                before.update(words_in(statement.text))
        found[migration.name] = tuple(dict.fromkeys(told))
    return {name: told for name, told in found.items() if told}


def _place(migration: Migration, statement: Statement, before: set[str]) -> Place:
    """A statement is approved by its line, or with its file, under the name of this with the folder or without."""
    file = f"{PLACE}/{migration.name}"
    return Place(f"{file}:{statement.source.line}", (file, migration.name), before)


def _hazards(
    connection: psycopg.Connection[Any], place: Place, judgement: Judgement, functions: Mapping[str, Reach]
) -> Iterator[Hazard]:
    if judgement.hazard is None or not judgement.drops:
        yield from _unlocated(place, judgement, functions)
        return
    for dropped in judgement.drops:
        yield from drop_hazards(connection, judgement.hazard, dropped, place)


def _unlocated(place: Place, judgement: Judgement, functions: Mapping[str, Reach]) -> Iterator[Hazard]:
    """The hazard of a statement as its text tells it, whatever is in the database."""
    if judgement.hazard is not None and judgement.drops:
        yield from (unseen_drop(judgement.hazard, dropped, place) for dropped in judgement.drops)
        return
    if judgement.hazard is not None:
        yield hazard(judgement.hazard, place.subject, judgement.what, also=place.also)
        return
    unknown = {n for n in judgement.calls if n in functions and functions[n].changes}
    unknown |= judgement.opaque - functions.keys()
    if unknown:
        calls = ", ".join(f"{n}()" for n in sorted(unknown))
        message = f"calls {calls}, which may change anything"
        yield hazard(UNKNOWN, place.subject, message, also=place.also)
