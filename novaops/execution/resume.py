"""What an apply does about one before it that was cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.db.advisory_lock import holder
from novaops.execution.history import RecordedStatement, Run, statements
from novaops.execution.interrupted import latest_interrupted, lost, restoring
from novaops.execution.invalid_index import remove_remains
from novaops.execution.journal import Journal, identity
from novaops.execution.stamp import stamp
from novaops.invocation import command_line
from novaops.planning.hazard_codes import REFUSED_BY_ROWS, with_consent
from novaops.planning.plan import Guard, Plan, Statement

INDEX = "SELECT i.indexrelid::bigint, i.indisvalid FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass(%s)"


def clear_away(connection: psycopg.Connection[Any], run: Run, journal: Journal) -> None:
    """Find out what became of a statement outside of transactions that the run had started.

    An index that is not valid is dropped, and the statement counts as not run. One that was finished counts
    as made, if nothing else has changed since. To be called with the advisory lock held: then the session that built
    it is gone.
    """
    for statement in statements(connection, run):
        if statement.state != "started":
            continue
        remove_remains(connection, statement.index, timedelta(0))
        row = connection.execute(INDEX, [statement.index]).fetchone()
        if row is None:
            # Nothing came of it, or what did is in the catalogs, and so in the stamp.
            journal.undone(statement.number)
            continue
        oid, valid = row
        if valid and stamp(connection, [oid]) == run.stamp:
            journal.done(statement.number)


def resumable(connection: psycopg.Connection[Any], made: Plan) -> Run | None:
    """The latest run that came part of the way, if the plan goes on with it, and nothing has changed since.

    The plan is the run's own, or what `remainder()` has left of it.
    """
    run = latest_interrupted(connection)
    if run is None or (run.run != made.continues and run.plan != identity(made)):
        return None
    return run if stamp(connection) == run.stamp else None


def remainder(
    connection: psycopg.Connection[Any],
    made: Plan,
    live: Snapshot,
    desired: Snapshot,
    *,
    settled: bool = True,
) -> Plan:
    """The plan, or in its place what is left of a run that was cut off on the way to the same end.

    Finishing is better than beginning anew: what the run has dropped to make it anew is in the catalogs no more, nor
    are its grants. Where that cannot be, since the files or the database are others now, the plan says of what
    something may be missing. What was approved for the run stays approved for its last statements, and restoring
    what it has dropped needs no approval. Where the plan does not start from what is `settled`, since pre-migrations
    run first, it stays what it is.
    """
    run = latest_interrupted(connection)
    if run is None:
        return made
    if (at_work := holder(connection)) is not None:
        return _noting(made, f"history {run.run} is at work on the database at this moment: {at_work}")
    gone = lost(connection, live)
    told = tuple(f"missing since history {each.run} was interrupted: {each.missing.line}" for each in gone)
    if not made.statements:
        return _noting(replace(made, missing=tuple(each.missing for each in gone)), *told)
    left = [s for s in statements(connection, run) if s.state != "done"]
    if (
        left
        and settled
        and _leads_where(run, made)
        and stamp(connection) == run.stamp
        and not any(s.masked for s in left)
    ):
        zone = run.summary.get("time_zone") or made.time_zone
        finishing = replace(made, statements=tuple(map(_again, left)), continues=run.run, time_zone=zone)
        finishing = restoring(_approved(finishing), gone, desired, resumed=True)
        finishing = with_consent(finishing, run.consents)
        return _noting(
            finishing,
            *told,
            f"history {run.run} was cut off; these are the last {len(left)} of its {run.statements} statements",
        )
    here, planned = {o.identity for o in live}, {s.sql for s in made.statements}
    forgotten = {
        s.object for s in left if s.operation == "replace" and s.object not in here and s.sql not in planned
    }
    return _noting(
        restoring(made, gone, desired),
        *told,
        *(
            f"history {run.run} was cut off when it had dropped {name} to make it anew: what was granted on it beyond"
            f" the files is told by {command_line('history', arguments=[str(run.run)])}"
            for name in sorted(forgotten)
        ),
    )


def _approved(finishing: Plan) -> Plan:
    """The plan without hazards that its run was approved for, or had not: what rows may do since, its guards look at.

    The new plan that it takes the place of has others, as it begins from what the run has left.
    """
    blocked = tuple(h for h in finishing.blocked if h.hazard in REFUSED_BY_ROWS)
    changes = tuple(
        replace(c, hazards=tuple(h for h in c.hazards if h.hazard in REFUSED_BY_ROWS))
        for c in finishing.changes
    )
    return replace(finishing, blocked=blocked, changes=changes)


def _leads_where(run: Run, made: Plan) -> bool:
    """Whether the run was to do what the plan is to do: the same files, compared in the same way."""
    return (run.desired, run.summary["options"]) == (made.desired_fingerprint, dict(made.options))


def _noting(made: Plan, *notices: str) -> Plan:
    return replace(made, notices=(*made.notices, *notices))


def _again(statement: RecordedStatement) -> Statement:
    return Statement(
        sql=statement.sql,
        transaction=statement.transaction,
        kind=statement.kind,
        object=statement.object,
        operation=statement.operation,
        guards=tuple(Guard(**guard) for guard in statement.guards),
        index=statement.index,
        patient=statement.patient,
        drops=statement.drops,
        restores=statement.restores,
    )
