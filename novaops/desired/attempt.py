"""Runs single statements in the shadow, each undone by itself when it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import tuple_row

from novaops.db import session_settings, shared_catalogs
from novaops.desired.classify import Verdict
from novaops.desired.rules import Action
from novaops.desired.settings import Settings
from novaops.desired.split import Statement
from novaops.errors import NovaopsError

MARKS = "pg_temp.novaops_marks"
PREPARED = -1
"""The mark of what was there before the first statement."""
SAVEPOINT = "novaops_statement"
BEYOND = "novaops_beyond"
"""Name of the constraint, and `Failure.code`, of what would change more than the database and must not be committed."""

# The session's own, whatever the role or the database says; lc_messages needs a superuser.
PINNED = {
    "check_function_bodies": "off",
    "client_min_messages": "warning",
    "statement_timeout": "0",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "0",
    "row_security": "on",
    "synchronous_commit": "off",
}
# What a RESET takes back to what the session has: what constants mean, and what DDL makes.
DECIDING = frozenset(name.lower() for name in (*session_settings.PINNED, *session_settings.READING))
DEFAULTS = "SELECT lower(name), setting FROM pg_catalog.pg_settings WHERE lower(name) = ANY (%s)"
# Counted as they happen, released subtransactions and dropped objects included.
CHANGES = (
    "SELECT sum(pg_catalog.pg_stat_get_xact_tuples_inserted(oid) + pg_catalog.pg_stat_get_xact_tuples_updated(oid)"
    " + pg_catalog.pg_stat_get_xact_tuples_deleted(oid)) FROM pg_catalog.pg_class"
    " WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'"
)
SUPERUSER_PINNED = {"lc_messages": "C", "track_counts": "on"}


class NotInOneTransactionError(NovaopsError):
    """The files cannot be built in one transaction; building with commits is the way out."""


@dataclass(frozen=True, slots=True)
class Task:
    """A statement, what runs of it, and the settings in effect at its place."""

    index: int
    statement: Statement
    verdict: Verdict
    settings: Settings


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a statement failed. `offset` is the place within its text, None when there is none."""

    task: Task
    code: str
    message: str
    detail: str | None = None
    hint: str | None = None
    context: str | None = None
    offset: int | None = None
    notes: tuple[str, ...] = ()


class Session:
    """A connection to the shadow, in one transaction, or committing each message.

    A row is written to `MARKS` after each statement. Its place in the order of transactions (xmin) and
    of commands within one (cmin) tells later which statement made a row of the catalogs. Where messages are committed,
    a constraint on that row sees to it that none is that changes what belongs to the whole server.
    """

    def __init__(self, connection: psycopg.Connection[Any], *, commit: bool) -> None:
        self.connection = connection
        self.commit = commit
        self.settings = Settings()
        self.defaults: Mapping[str, str] = {}
        self.unprepared: list[str] = []
        """Why objects could not be made that the files may refer to."""

    def begin(self) -> None:
        """Pin the settings and make the table of marks; a RESET of the files goes back to the session's own."""
        self.connection.rollback()
        self.connection.autocommit = self.commit
        self.connection.prepare_threshold = None
        if self.commit:
            self.execute("DISCARD TEMP")
        else:
            self.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE")
        self.defaults = dict(self.execute(DEFAULTS, [[*DECIDING]]).fetchall())
        checked = f" CONSTRAINT {BEYOND} CHECK (NOT beyond)" if self.commit else ""
        self.execute(
            f"CREATE TEMPORARY TABLE {MARKS.partition('.')[2]}"
            f" (task int NOT NULL, changes bigint, beyond boolean{checked})"
        )
        self.execute(f"GRANT INSERT ON {MARKS} TO PUBLIC")
        for name, value in PINNED.items():
            self.execute(f"SET {name} = '{value}'")
        if not self.commit:
            self.execute(f"SAVEPOINT {SAVEPOINT}")
        for name, value in SUPERUSER_PINNED.items():
            self.guarded(f"SET {name} = '{value}'")

    def prepare(self, texts: Sequence[str]) -> None:
        """Run what the files may refer to; no failing statement of theirs undoes it, none of them made it.

        What fails is left out, with what needs it: who knows whether the files refer to it.
        """
        for text in texts:
            if (why := self._refused(text)) is not None and why not in self.unprepared:
                self.unprepared.append(why)
        self.execute(self._enclosed(f"INSERT INTO {MARKS} VALUES ({PREPARED}, NULL, NULL)"))

    def hold(self) -> None:
        """Commit nothing from here on."""
        self.commit = self.connection.autocommit = False
        self.execute(f"ALTER TABLE {MARKS} DROP CONSTRAINT {BEYOND}")
        self.execute(f"SAVEPOINT {SAVEPOINT}")

    def execute(self, text: str, parameters: Sequence[object] | None = None) -> psycopg.Cursor[Any]:
        """Run SQL of ours or of the files; several statements are one message to the server."""
        return self.connection.cursor(row_factory=tuple_row).execute(sql.SQL(text), parameters)

    def guarded(self, text: str) -> bool:
        """Run it so that an error undoes nothing else; false when it failed."""
        return self._refused(text) is None

    def _refused(self, text: str) -> str | None:
        """Run it so that an error undoes nothing else; what the server said against it."""
        try:
            self.execute(self._enclosed(text))
        except psycopg.Error as error:
            if self.connection.closed or error.sqlstate is None:
                raise
            self._undo()
            return error.diag.message_primary or str(error)
        return None

    def as_itself(self, text: str) -> bool:
        """Run it guarded, under the session's own role rather than the one that the files set."""
        own = Settings()
        around = [*self.way(self.settings, own), text, *self.way(own, self.settings)]
        return self.guarded(";\n".join(around))

    def way(self, before: Settings, after: Settings) -> list[str]:
        """Statements that bring the session from one state of its settings to another."""
        return after.reached_from(before, self.defaults)

    def attempt(self, task: Task) -> Failure | None:
        """Run a task under the settings of its place; None when it succeeded."""
        before = _joined(self.way(self.settings, task.settings))
        try:
            self.execute(self._enclosed(before + self._marked(task)))
        except psycopg.Error as error:
            if self.connection.closed or error.sqlstate is None:
                raise
            self._undo()
            return self._failure(task, error, len(before))
        self.settings = task.settings
        # A RESET has run nothing: the next statement's settings lack the parameter, and so reset it.
        if task.verdict.change is not None and task.verdict.change.sql is not None:
            self.settings = task.settings.after(task.verdict.change)
        return None

    def attempt_all(self, tasks: Sequence[Task]) -> bool:
        """Run tasks in one message; false when one failed, and then none has run."""
        texts = []
        settings = self.settings
        for task in tasks:
            # What a message has changed so far is counted together, and one look at the end is enough.
            text = self._marked(task, last=task is tasks[-1])
            texts.append(_joined(self.way(settings, task.settings)) + text)
            settings = task.settings
        if not self.guarded(";".join(texts)):
            return False
        self.settings = settings
        return True

    def roles(self) -> set[str]:
        """The roles of the server, as this transaction sees them."""
        return {name for (name,) in self.execute("SELECT rolname FROM pg_catalog.pg_roles")}

    def changes(self, task: Task | None = None) -> int:
        """How many catalog rows this transaction has changed: by now, or at the end of a probed task."""
        if task is None:
            row = None if self.commit else self.execute(CHANGES).fetchone()
        else:
            row = self.execute(f"SELECT changes FROM {MARKS} WHERE task = {task.index}").fetchone()
        return int(row[0]) if row else 0

    def reset(self) -> None:
        """Back to the settings of the session, and to its own role."""
        for text in self.way(self.settings, Settings()):
            self.execute(text)
        self.settings = Settings()

    def _enclosed(self, text: str) -> str:
        # A syntax error fails a message as a whole, so the savepoint to go back to is made by the
        # message before. Without a transaction, a message is one by itself (section 53.2.2.1).
        return (
            f"{text};{shared_catalogs.FORGET}"
            if self.commit
            else f"{text};RELEASE SAVEPOINT {SAVEPOINT};SAVEPOINT {SAVEPOINT}"
        )

    def _undo(self) -> None:
        self.execute(shared_catalogs.FORGET if self.commit else f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")

    def _marked(self, task: Task, *, last: bool = True) -> str:
        changes = f"({CHANGES})" if task.verdict.action is Action.PROBE else "NULL"
        beyond = f"({shared_catalogs.query()})" if self.commit and last else "NULL"
        return f"{task.verdict.sql}\n;INSERT INTO {MARKS} VALUES ({task.index}, {changes}, {beyond})"

    def _failure(self, task: Task, error: psycopg.Error, shift: int) -> Failure:
        diag = error.diag
        code = error.sqlstate or ""
        if not self.commit and isinstance(error, errors.OutOfMemory | errors.UnsafeNewEnumValueUsage):
            raise NotInOneTransactionError(
                diag.message_primary or str(error),
                detail="The files cannot be built in one transaction.",
                hint="raise max_locks_per_transaction on the server of the shadow, or use --shadow server or embedded",
            ) from None
        offset = None
        if diag.statement_position:
            at = int(diag.statement_position) - 1 - shift
            offset = at if 0 <= at < len(task.statement.text) else None
        return Failure(
            task,
            BEYOND if diag.constraint_name == BEYOND else code,
            diag.message_primary or str(error),
            diag.message_detail,
            diag.message_hint,
            diag.context,
            offset,
        )


def _joined(texts: Sequence[str]) -> str:
    return "".join(f"{text};\n" for text in texts)
