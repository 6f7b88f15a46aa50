"""Look again, before statements run, whether rows have come that a plan would lose or PostgreSQL would refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors

from novaops.errors import RefusedError
from novaops.planning.live_data import question
from novaops.planning.plan import Guard, Plan, Statement

AHEAD_TIMEOUT = "60s"
"""How long a question may take that is asked while nothing is locked."""


def check_ahead(connection: psycopg.Connection[Any], plan: Plan, committed: int) -> None:
    """Raise `RefusedError` for the rows of any statement to come, before the first of them is committed.

    What cannot be told without locks, or takes too long, is left to the statement itself.
    """
    for statement in plan.statements[committed:]:
        for guard in statement.guards:
            if _found(connection, guard):
                raise _refused(guard, statement, way_back=plan.way_back)


def _found(connection: psycopg.Connection[Any], guard: Guard) -> bool:
    """Whether there are such rows. Of a value that cannot even be converted to be looked at, that is so, too."""
    try:
        row = question(connection, guard.exists, AHEAD_TIMEOUT)
    except (errors.DataError, errors.IntegrityError):
        return True
    except (errors.OperationalError, errors.DatabaseError):
        if connection.closed:
            raise
        return False
    return row is not None and bool(row[0])


def locked(statement: Statement) -> Sequence[Guard]:
    """Return the guards that are asked once more under lock: those of what would be lost."""
    return [guard for guard in statement.guards if not guard.refused]


def check_locked(connection: psycopg.Connection[Any], statement: Statement, *, way_back: bool) -> None:
    """Look again, under lock, at what the plan found empty."""
    for guard in locked(statement):
        if guard.lock is not None:
            connection.execute(f"LOCK TABLE {guard.lock} IN ACCESS EXCLUSIVE MODE")
        row = connection.execute(guard.exists).fetchone()
        if row is None or row[0]:
            raise _refused(guard, statement, way_back=way_back)


def _refused(guard: Guard, statement: Statement, *, way_back: bool) -> RefusedError:
    detail = [f"the statement was not run: {statement.sql}"]
    if guard.query is not None:
        detail.append(f"the rows: {guard.query};")
    if guard.refused:
        hint = "fix these rows and run the same command again"
    else:
        again = "" if way_back else "plan again; "
        hint = f"{again}to go on all the same: --allow {guard.hazard}:{guard.object}"
    return RefusedError(
        f"{guard.hazard}:{guard.object} was no hazard when the plan was made, and is one now",
        detail="\n".join(detail),
        hint=hint,
    )
