"""Runs pre-migrations on the live database, each with its row in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import errors

from novaops.db.connection import reset
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.execution.locking import TRIES, pause
from novaops.execution.pre_migrations.files import Migration, secret, sets, text_of
from novaops.execution.pre_migrations.ledger import APPLIED, STARTED, Entry, record
from novaops.execution.watch import Watch
from novaops.progress import Reporter


def run(
    connection: psycopg.Connection[Any],
    migration: Migration,
    entry: Entry | None,
    lock_timeout: timedelta,
    reporter: Reporter,
) -> None:
    """Run one file on an autocommit connection; `entry` is the row of one that was begun before.

    Raises `DiagnosticsError` at the first statement that fails. What a file sets ends with it.
    """
    with _told(connection, reporter), Watch.over(connection, reporter) as watch:
        try:
            if migration.transactional:
                _retried(connection, migration, lock_timeout, watch, reporter)
            else:
                with watch.work():
                    _one_by_one(connection, migration, entry.statements_done if entry else 0, reporter)
        finally:
            if not connection.closed:
                reset(connection)


def failure(error: psycopg.Error, statement: Statement, *notes: str) -> Diagnostic:
    """A statement's error, at the place in its file that the server names."""
    diag = error.diag
    at = int(diag.statement_position) - 1 if diag.statement_position else None
    hidden = secret(statement)
    context = [t for t in (diag.message_detail, diag.context) if t and not hidden]
    return statement.file.diagnostic(
        statement.start + (at if at is not None and at < len(statement.text) else 0),
        diag.message_primary or str(error),
        length=1 if at is not None else len(statement.text.partition("\n")[0]),
        code=error.sqlstate,
        notes=(*context, *notes),
        hint=diag.message_hint,
        secret=hidden,
    )


@contextmanager
def _told(connection: psycopg.Connection[Any], reporter: Reporter) -> Iterator[None]:
    """What the statements say with RAISE NOTICE is passed on."""

    def told(diagnostic: psycopg.errors.Diagnostic) -> None:
        reporter.note(f"{diagnostic.severity}: {(diagnostic.message_primary or '').partition(chr(10))[0]}")

    connection.add_notice_handler(told)
    try:
        yield
    finally:
        connection.remove_notice_handler(told)


def _retried(
    connection: psycopg.Connection[Any],
    migration: Migration,
    lock_timeout: timedelta,
    watch: Watch,
    reporter: Reporter,
) -> None:
    """One transaction, again after a lock could not be had: everything is released in between."""
    for attempt in range(1, TRIES + 1):
        said = f"try {attempt} of {TRIES}"
        reset(connection)
        milliseconds = int(lock_timeout.total_seconds() * 1000)
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{milliseconds}ms"])
        try:
            with watch.work(said), connection.transaction():
                for index, statement in enumerate(migration.statements, 1):
                    _execute(connection, migration, statement, index, reporter)
                # The row is written by who runs novaops, whoever the file has become.
                connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE")
                record(connection, migration, APPLIED)
        except _LockError as error:
            if attempt == TRIES:
                raise DiagnosticsError([error.diagnostic]) from error
            watch.told(said)
            pause(attempt)
        except psycopg.Error as error:
            if connection.closed or not migration.statements:
                raise
            note = f"seen at the end of {migration.name}, all of which was rolled back"
            raise DiagnosticsError([failure(error, migration.statements[-1], note)]) from error
        else:
            return


def _one_by_one(
    connection: psycopg.Connection[Any], migration: Migration, done: int, reporter: Reporter
) -> None:
    """Each statement committed by itself, and counted in the ledger when it is done.

    A file that goes on gets back the settings that its first part made.
    """
    reset(connection)
    record(connection, migration, STARTED, done)
    for index, statement in enumerate(migration.statements, 1):
        if index > done or sets(statement):
            _execute(connection, migration, statement, index, reporter)
        if index > done:
            _as_itself(connection, migration, index)
    reset(connection)
    record(connection, migration, APPLIED)


def _as_itself(connection: psycopg.Connection[Any], migration: Migration, done: int) -> None:
    """Count a statement; what the file has set, its role among it, is the same afterwards."""
    with connection.transaction():
        connection.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE NONE")
        record(connection, migration, STARTED, done)


def _execute(
    connection: psycopg.Connection[Any],
    migration: Migration,
    statement: Statement,
    index: int,
    reporter: Reporter,
) -> None:
    place = f"{migration.name}:{statement.source.line}"
    reporter.step(index, len(migration.statements), f"{place} {text_of(statement)}")
    try:
        connection.execute(statement.text)
    except psycopg.Error as error:
        if connection.closed:
            raise
        if migration.transactional:
            found = failure(error, statement, f"all of {migration.name} was rolled back")
            if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
                raise _LockError(found) from error
        else:
            found = failure(
                error,
                statement,
                f"{migration.name} runs outside of a transaction: {index - 1} of its {len(migration.statements)}"
                " statements are committed; the next run goes on with this one",
            )
        raise DiagnosticsError([found]) from error


class _LockError(Exception):
    """A lock could not be had in time."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
