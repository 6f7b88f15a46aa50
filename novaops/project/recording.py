"""What an apply leaves in the journal, and what it finds there of one that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from novaops.db.advisory_lock import Holder, advisory_lock
from novaops.errors import NovaopsError
from novaops.execution.apply import Tally
from novaops.execution.history import Run, latest
from novaops.execution.journal import DatabaseJournal, Journal, NoJournal
from novaops.execution.resume import clear_away
from novaops.planning.missing import missing_after, outermost
from novaops.planning.origin import digest
from novaops.planning.plan import Missing, Plan
from novaops.project.undeclared import declared_by

if TYPE_CHECKING:
    from novaops.project.project import Project


@contextmanager
def alone(project: Project, lock_wait: timedelta) -> Iterator[None]:
    """Nobody else applies to the database meanwhile."""
    connection = project.connection

    def waiting(holder: Holder) -> None:
        project.reporter.waiting(f"another novaops is at work on {connection.info.dbname}: {holder}")

    with advisory_lock(connection, wait=lock_wait, waiting=waiting):
        yield


@contextmanager
def recording(project: Project) -> Iterator[Journal]:
    """The journal of a run; one that ends with an exception is recorded as such."""
    journal: Journal = DatabaseJournal(project.connection) if project.options.journal else NoJournal()
    try:
        yield journal
    except BaseException as error:
        # What cannot be told now is found out by the next run.
        with suppress(psycopg.Error):
            journal.end("failed" if isinstance(error, Exception) else "interrupted", error=_told(error))
        if isinstance(error, psycopg.OperationalError) and project.connection.closed:
            raise NovaopsError(
                "the connection was lost while the plan was applied",
                detail=str(error),
                hint="run the same command again: what was committed is known, and it goes on from there",
            ) from error
        raise


@contextmanager
def reporting(project: Project, made: Plan, tally: Tally) -> Iterator[None]:
    """Add to an exception inside what is missing since, and keep that as `Project.missing`."""
    try:
        yield
    except BaseException as error:
        if tally.begun:
            project.missing = missing_now(made, tally.committed)
            error.add_note(_how_far(made, tally.committed))
            for lost in outermost(project.missing):
                error.add_note(f"missing  {lost.line}")
        raise


def missing_now(made: Plan, committed: int) -> tuple[Missing, ...]:
    """Return what the plan has dropped and not created again when so many of its statements are committed."""
    done = [number < committed for number in range(len(made.statements))]
    return missing_after(made.missing, made.statements, done)


def _how_far(made: Plan, committed: int) -> str:
    return f"{committed} of {len(made.statements)} statements were committed"


def recover(project: Project, lock_wait: timedelta) -> None:
    """Look after a run that was cut off, before a plan is made: say so, and clear away what it left half done."""
    if not project.options.journal or _cut_off(project) is None:
        return
    with alone(project, lock_wait):
        run = _cut_off(project)
        if run is None:
            return
        if run.outcome is None:
            project.reporter.note(_what_was_done(run))
        journal = DatabaseJournal(project.connection, run.run)
        with project.reporter.phase("clearing away what it left half done"):
            clear_away(project.connection, run, journal)
        if run.outcome is None:
            journal.end("interrupted")


def settle(project: Project) -> None:
    """Where nothing is left to do after a run that did not come to its end, that run has converged after all."""
    request = project.request
    run = latest(project.connection) if project.options.journal and request else None
    if run is None or run.complete or request is None:
        return
    journal = DatabaseJournal(project.connection, run.run)
    journal.end("converged", state=digest(request.live, request.scope, declared_by(request)))


def _cut_off(project: Project) -> Run | None:
    """The latest run, if it did not come to its end, or left a statement half done."""
    run = latest(project.connection)
    return run if run is not None and (run.outcome is None or run.open) else None


def _what_was_done(run: Run) -> str:
    by = f"{run.role} ({run.client})"
    return (
        f"history {run.run}, begun {run.started:%Y-%m-%d %H:%M} by {by}, was cut off:"
        f" {run.done} of its {run.statements} statements were committed"
    )


def _told(error: BaseException) -> str | None:
    return error.message if isinstance(error, NovaopsError) else str(error) or None
