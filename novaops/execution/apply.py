"""Runs the statements of a plan, transaction by transaction."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

import psycopg
from psycopg import errors

from novaops.errors import NovaopsError, RefusedError
from novaops.execution.blockers import blockers
from novaops.execution.journal import Journal, NoJournal
from novaops.planning.plan import Plan, Statement
from novaops.progress import Reporter

TRIES = 5
NO_JOURNAL = NoJournal()


@dataclass(frozen=True, slots=True)
class Segment:
    """Statements that run together: in one transaction, or one alone outside of any."""

    transaction: int | None
    statements: tuple[Statement, ...]


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
) -> int:
    """Run all segments on an autocommit connection; returns how many statements ran.

    `committed` of them were committed by an earlier attempt, and are not run again.
    Raises `StatementError` at the first statement that fails, and `RefusedError` when rows have come
    into something that was empty when the plan was made.
    """
    for statement in plan.statements:
        if statement.masked and statement.secret_sql is None:
            raise NovaopsError(
                f"the saved plan holds no secrets, and {statement.object} needs one",
                hint="apply without the plan file: novaops apply",
            )
    _pin(connection, lock_timeout)
    done = 0
    for segment in segments(plan):
        if done >= committed:
            _retried(connection, segment, done, len(plan.statements), reporter, journal)
        done += len(segment.statements)
    return done - committed


def _pin(connection: psycopg.Connection[Any], lock_timeout: timedelta) -> None:
    """Settings that a role or database may have set to something that would break a plan."""
    for name, value in (
        ("lock_timeout", f"{int(lock_timeout.total_seconds() * 1000)}ms"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("check_function_bodies", "off"),
        ("session_replication_role", "origin"),
    ):
        connection.execute(
            "SELECT set_config(%s, %s, false) WHERE current_setting(%s) <> %s", [name, value, name, value]
        )


def _retried(
    connection: psycopg.Connection[Any],
    segment: Segment,
    done: int,
    total: int,
    reporter: Reporter,
    journal: Journal,
) -> None:
    """Run a segment, again after a lock could not be had: everything is released in between."""
    for attempt in range(1, TRIES + 1):
        try:
            _run(connection, segment, done, total, reporter, journal)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            if attempt == TRIES:
                raise _failed(error, segment.statements[0], done, total) from error
            reporter.waiting(
                f"{blockers(connection) or 'a lock could not be had'} · try {attempt + 1} of {TRIES}"
            )
            time.sleep(random.uniform(0.1, 0.5) * attempt)  # noqa: S311
        else:
            return


def _run(
    connection: psycopg.Connection[Any],
    segment: Segment,
    done: int,
    total: int,
    reporter: Reporter,
    journal: Journal,
) -> None:
    if segment.transaction is None:
        journal.started(done + 1)
        try:
            _statements(connection, segment.statements, done, total, reporter)
        except BaseException:
            _undo(connection, segment.statements[0], done + 1, journal)
            raise
        journal.done(done + 1)
        return
    with connection.transaction():
        _statements(connection, segment.statements, done, total, reporter)
        journal.committing(done + 1, done + len(segment.statements))


def _undo(connection: psycopg.Connection[Any], statement: Statement, number: int, journal: Journal) -> None:
    """Clear away what a statement left behind; if even that fails, the next run does it."""
    if not connection.closed:
        with suppress(psycopg.Error):
            if statement.undo is not None:
                connection.execute(statement.undo)
            journal.undone(number)


def _statements(
    connection: psycopg.Connection[Any],
    statements: Sequence[Statement],
    done: int,
    total: int,
    reporter: Reporter,
) -> None:
    # All of them first: what one looks at may be gone when its statement comes.
    for index, statement in enumerate(statements, done):
        with _told(statement, index, total):
            _guard(connection, statement)
    for index, statement in enumerate(statements, done):
        reporter.step(index + 1, total, statement.sql)
        with _told(statement, index, total):
            connection.execute(statement.secret_sql or statement.sql)


@contextmanager
def _told(statement: Statement, done: int, total: int) -> Iterator[None]:
    """Errors of PostgreSQL, but for those after which a segment is tried again, say what was not run."""
    try:
        yield
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.QueryCanceled):
        raise
    except psycopg.Error as error:
        raise _failed(error, statement, done, total) from error


def _guard(connection: psycopg.Connection[Any], statement: Statement) -> None:
    """Look again, under lock, at what the plan found empty."""
    for guard in statement.guards:
        if guard.lock is not None:
            connection.execute(f"LOCK TABLE {guard.lock} IN ACCESS EXCLUSIVE MODE")
        row = connection.execute(guard.exists).fetchone()
        if row is None or row[0]:
            raise RefusedError(
                f"{guard.object} was empty when the plan was made and is not any more",
                detail=f"the statement was not run: {statement.sql}",
                hint=f"plan again; to go on all the same: --allow {guard.hazard}:{guard.object}",
            )


def _failed(error: psycopg.Error, statement: Statement, done: int, total: int) -> StatementError:
    message = error.diag.message_primary or str(error)
    detail = [f"in statement {done + 1} of {total}: {statement.sql}"]
    detail += [t for t in (error.diag.message_detail, error.diag.context) if t]
    state = f" [{error.sqlstate}]" if error.sqlstate else ""
    hint = error.diag.message_hint or "run `novaops plan` again: it starts from what is there now"
    return StatementError(f"PostgreSQL refused{state}: {message}", detail="\n".join(detail), hint=hint)
