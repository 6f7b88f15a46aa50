"""Whole plans, for kinds whose statements are only right together with those of others."""

from __future__ import annotations

from novaops.catalog.snapshot import Snapshot
from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from tests.integration.kinds.conftest import Connection, passing, snapshot

EVERYTHING = Scope(frozenset({"public"}), whole=True)
MANAGED = Comparison(PrivilegeMode.MANAGED)


def converge(database: Connection, first: str, *states: str, rows: str = "") -> list[str]:
    """Make `first`, fill it with `rows`, and plan and execute the way from state to state.

    Returns the statements of the last plan. Fails unless each plan leads to what its state would
    have made in an empty database, with everything accounted for.
    """
    goals = []
    for state in states:
        with passing(database, state or "SELECT") as goal:
            goals.append(goal)
    database.execute(first or "SELECT")
    if rows:
        database.execute(rows)
    return [reach(database, goal) for goal in goals][-1]


def reach(database: Connection, goal: Snapshot) -> list[str]:
    """Plan and execute the way from what there is to `goal`."""
    made = draft(snapshot(database), goal, EVERYTHING, MANAGED)
    statements = [written.step.sql for written in made.written]
    with database.transaction():
        for statement in statements:
            database.execute(statement)
    after = snapshot(database)
    assert diff(after, goal, EVERYTHING, MANAGED) == {}
    assert after.unmodelled == ()
    return statements
