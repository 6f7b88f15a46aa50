"""Runs the statements of a plan, transaction by transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

import psycopg
from psycopg import errors

from novaops.db.session_settings import set_time_zone
from novaops.errors import NovaopsError
from novaops.execution.guards import check_ahead, check_locked, locked
from novaops.execution.invalid_index import remove_remains
from novaops.execution.journal import Journal, NoJournal
from novaops.execution.locking import TRIES, Attempt, patient, pause, wanted_by
from novaops.execution.watch import Watch
from novaops.invocation import command_line
from novaops.planning.plan import Plan, Statement
from novaops.progress import Reporter

NO_JOURNAL = NoJournal()
CHANGED_MEANWHILE = frozenset(
    ["3F000", "42701", "42703", "42704", "42710", "42723", "42883", "42P01", "42P06", "42P07"]
)
"""SQLSTATEs of names that are missing or taken: somebody has changed the schema since (appendix A of the documentation)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Statements that run together: in one transaction, or one alone outside of any."""

    transaction: int | None
    statements: tuple[Statement, ...]


@dataclass(slots=True)
class Tally:
    """Counts the statements of a run that are committed, also for who asks after an exception."""

    begun: bool = False
    """Whether anything of the run, a pre-migration included, may have changed the database."""
    committed: int = 0


class StatementError(NovaopsError):
    """A statement of the plan failed; what had been committed before it stays."""


def segments(plan: Plan) -> Iterator[Segment]:
    """The statements of the plan by transaction, in order."""
    alone = 0
    keys = []
    for statement in plan.statements:
        alone += statement.transaction is None
        keys.append((statement.transaction, alone if statement.transaction is None else 0))
    for (number, _), group in groupby(zip(keys, plan.statements, strict=True), lambda pair: pair[0]):
        yield Segment(number, tuple(s for _, s in group))


def run(
    connection: psycopg.Connection[Any],
    plan: Plan,
    lock_timeout: timedelta,
    reporter: Reporter,
    journal: Journal = NO_JOURNAL,
    committed: int = 0,
    tally: Tally | None = None,
) -> int:
    """Run all segments on an autocommit connection; returns how many statements ran.

    `committed` of them were committed by an earlier attempt, and are not run again. The `tally` knows at any time how
    far the run has come.
    Raises `StatementError` at the first statement that fails, and `RefusedError` when rows have come
    into something that was empty when the plan was made.
    """
    for statement in plan.statements:
        if statement.masked and statement.secret_sql is None:
            raise NovaopsError(
                f"the saved plan holds no secrets, and {statement.object} needs one",
                hint=f"apply without the plan file: {command_line('apply')}",
            )
    _pin(connection)
    if plan.time_zone is not None:
        set_time_zone(connection, plan.time_zone)
    check_ahead(connection, plan, committed)
    with Watch.over(connection, reporter) as watch:
        work = Work(connection, watch, reporter, plan, lock_timeout, journal)
        done, tally = 0, tally or Tally()
        for segment in segments(plan):
            if done >= committed:
                work.segment(segment, done)
            done += len(segment.statements)
            tally.committed = done
    return done - committed


def _pin(connection: psycopg.Connection[Any]) -> None:
    """Settings that a role or database may have set to something that would break a plan."""
    for name, value in (
        ("check_function_bodies", "off"),
        ("session_replication_role", "origin"),
    ):
        connection.execute(
            "SELECT set_config(%s, %s, false) WHERE current_setting(%s) <> %s", [name, value, name, value]
        )


@dataclass(frozen=True, slots=True)
class Work:
    """What the segments of one run share."""

    connection: psycopg.Connection[Any]
    watch: Watch
    reporter: Reporter
    plan: Plan
    lock_timeout: timedelta
    journal: Journal

    def segment(self, segment: Segment, done: int) -> None:
        """Run it, again after a lock could not be had: everything is released in between."""
        waits = patient(segment.statements)
        # 0 would be no limit.
        limit = 0 if waits else max(1, int(self.lock_timeout.total_seconds() * 1000))
        self.watch.blocker = first = None
        for attempt in range(1, TRIES + 1):
            said = "" if waits else f"try {attempt} of {TRIES}"
            self.connection.execute(f"SET lock_timeout = {limit}")
            try:
                with self.watch.work(said):
                    self._run(segment, done, first)
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                if attempt == TRIES:
                    raise self._gave_up(segment.statements[0], done, error) from error
                first = self.watch.told(said)
                pause(attempt)
            else:
                return

    def _run(self, segment: Segment, done: int, first: str | None) -> None:
        if segment.transaction is None:
            self._alone(segment.statements[0], done)
            return
        with self.connection.transaction():
            locks = wanted_by(segment.statements, self.plan.locks_seen)
            bounded = not patient(segment.statements)
            attempt = Attempt(self.connection, self.lock_timeout, locks, first) if bounded else None
            self._statements(segment.statements, done, attempt)
            self.journal.committing(done + 1, done + len(segment.statements))

    def _alone(self, statement: Statement, done: int) -> None:
        """Run it outside of transactions, and clear away what it left behind if it failed."""
        self.journal.started(done + 1)
        try:
            self._statements([statement], done)
        except BaseException:
            if not self.connection.closed:
                with suppress(psycopg.Error):  # the next run does it then
                    remove_remains(self.connection, statement.index, self.lock_timeout)
                    self.journal.undone(done + 1)
            raise
        self.journal.done(done + 1)

    def _statements(self, statements: Sequence[Statement], done: int, attempt: Attempt | None = None) -> None:
        total = len(self.plan.statements)
        if attempt is not None and any(locked(statement) for statement in statements):
            attempt.lock()
        # All of them first: what one looks at may be gone when its statement comes.
        for index, statement in enumerate(statements, done):
            with _told(statement, index, self.plan):
                check_locked(self.connection, statement, way_back=self.plan.way_back)
        for index, statement in enumerate(statements, done):
            self.reporter.step(index + 1, total, statement.sql)
            with _told(statement, index, self.plan):
                if attempt is not None:
                    attempt.lock_before(statement)
                (attempt or self.connection).execute(statement.secret_sql or statement.sql)

    def _gave_up(self, statement: Statement, done: int, error: psycopg.Error) -> StatementError:
        blocker = self.watch.blocker
        found = _failed(error, statement, done, self.plan)
        end = f", or end that session: SELECT pg_terminate_backend({blocker.pid})" if blocker else ""
        return StatementError(
            f"a lock could not be had in {TRIES} tries: {found.message}",
            detail="\n".join([*([str(blocker)] if blocker else []), found.detail or ""]),
            hint=f"try again when the server has less to do, or with a longer --lock-timeout{end}",
        )


@contextmanager
def _told(statement: Statement, done: int, plan: Plan) -> Iterator[None]:
    """Errors of PostgreSQL, but for those after which a segment is tried again, say what was not run."""
    try:
        yield
    except (errors.LockNotAvailable, errors.DeadlockDetected):
        raise
    except psycopg.Error as error:
        raise _failed(error, statement, done, plan) from error


def _failed(error: psycopg.Error, statement: Statement, done: int, plan: Plan) -> StatementError:
    message = error.diag.message_primary or str(error)
    detail = [f"in statement {done + 1} of {len(plan.statements)}: {statement.sql}"]
    detail += [t for t in (error.diag.message_detail, error.diag.context) if t]
    state = f" [{error.sqlstate}]" if error.sqlstate else ""
    if error.sqlstate in CHANGED_MEANWHILE and not plan.way_back:
        way_out = f"run `{command_line('plan')}` again: it starts from what is there now"
    elif plan.way_back:
        way_out = "change what PostgreSQL refuses, and run the same command again"
    else:
        way_out = "change what PostgreSQL refuses, in the rows or in the files: as they are, the same statement is planned again"
    hint = "; ".join(filter(None, [error.diag.message_hint, way_out]))
    return StatementError(f"PostgreSQL refused{state}: {message}", detail="\n".join(detail), hint=hint)
