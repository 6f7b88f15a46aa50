"""Whole plans, for kinds whose statements are only right together with those of others."""

from __future__ import annotations

from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from novaops.planning.scope import Scope
from tests.integration.kinds.conftest import Connection, passing, snapshot

EVERYTHING = Scope(frozenset({"public"}), whole=True)


def converge(database: Connection, old: str, new: str, rows: str = "") -> list[str]:
    """Make `old`, fill it with `rows`, and execute the plan to `new`; returns its statements.

    Fails unless nothing differs from `new` afterwards and everything is accounted for.
    """
    with passing(database, new or "SELECT") as desired:
        pass
    database.execute(old or "SELECT")
    if rows:
        database.execute(rows)
    made = draft(snapshot(database), desired, EVERYTHING, Comparison())
    statements = [written.step.sql for written in made.written]
    with database.transaction():
        for statement in statements:
            database.execute(statement)
    after = snapshot(database)
    assert diff(after, desired, EVERYTHING, Comparison()) == {}
    assert after.unmodelled == ()
    return statements
