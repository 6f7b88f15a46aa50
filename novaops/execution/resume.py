"""What an apply does about one before it that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from novaops.execution.history import RecordedStatement, Run, latest, statements
from novaops.execution.journal import Journal, identity
from novaops.execution.stamp import stamp
from novaops.kinds.concurrently import removal
from novaops.planning.plan import Plan

# While somebody builds it, an index is in the progress view (documentation, "CREATE INDEX Progress Reporting").
INDEXES = """
SELECT n.nspname, c.relname, c.oid::bigint, i.indisvalid
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
"""


def clear_away(connection: psycopg.Connection[Any], run: Run, journal: Journal) -> None:
    """Find out what became of a statement outside of transactions that the run had started.

    An index that is not valid is dropped, and the statement counts as not run. One that was finished counts
    as made, if nothing else has changed since. To be called with the advisory lock held: then the session that built
    it is gone.
    """
    for statement in statements(connection, run):
        if statement.state != "started":
            continue
        made = list(_indexes(connection, statement))
        if not made:
            # Nothing came of it, or what did is in the catalogs, and so in the stamp.
            journal.undone(statement.number)
        for oid, valid in made:
            if not valid:
                connection.execute(statement.undo or "")
                journal.undone(statement.number)
            elif stamp(connection, [oid]) == run.stamp:
                journal.done(statement.number)


def resumable(connection: psycopg.Connection[Any], made: Plan) -> Run | None:
    """The latest run, if it was one of this plan, came part of the way, and nothing has changed since."""
    run = latest(connection)
    if run is None or run.complete or not run.done or run.plan != identity(made):
        return None
    return run if stamp(connection) == run.stamp else None


def _indexes(connection: psycopg.Connection[Any], statement: RecordedStatement) -> Iterator[tuple[int, bool]]:
    """The index that the statement was to build, and whether it is valid, if it exists and nobody is building it."""
    if statement.undo is None:
        return
    for schema, name, oid, valid in connection.execute(INDEXES).fetchall():
        if removal(schema, name) == statement.undo:
            yield oid, valid
