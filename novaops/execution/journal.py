"""The journal: what was applied to a database, kept in the schema `novaops` of that database.

What a transaction of a plan did is recorded in that very transaction, so that the journal is right whenever the
process or the server dies. A statement outside of transactions is recorded as started before it runs, and as done
after it.

With every commit the journal also keeps a stamp of the catalogs (`execution/stamp.py`), by which a run that was cut
off is recognised. The fingerprint of a snapshot would not do: read before the commit it would keep everybody waiting
for locks, read after it there would be a moment in which it is not known, and what a rehearsal on a copy predicts
differs from the database in owners and default privileges, if there was one at all.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import socket
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Protocol

import psycopg
from psycopg import errors

from novaops.db.identifiers import quote_ident
from novaops.db.own_schema import ensure_own_schema
from novaops.errors import NovaopsError
from novaops.execution.history import Run
from novaops.execution.stamp import stamp
from novaops.planning.plan import Plan, Statement

STEPS = ("journal_1.sql", "journal_2.sql")
"""What leads from one version of the tables to the next; the version is how many of them were taken."""

STATEMENTS = """
INSERT INTO novaops.journal_statement (
    run, number, transaction, kind, object, operation, sql, masked, guards, index, patient, drops, restores
)
SELECT %s, s.number, t.transaction, t.kind, t.object, t.operation, t.sql, t.masked, t.guards, t.index, t.patient,
       t.drops, t.restores
FROM jsonb_array_elements(%s) WITH ORDINALITY AS s (statement, number),
     jsonb_to_record(s.statement) AS t (
         transaction integer, kind text, object text, operation text, sql text, masked boolean, guards jsonb,
         index text, patient boolean, drops jsonb, restores jsonb
     )
"""
TABLES = ("version", "journal", "journal_statement")
# Whether the schema exists, the role may make it, or may do there all that is needed (make what is not there yet).
RIGHTS = """
SELECT s.oid IS NOT NULL,
       has_database_privilege(current_database(), 'CREATE'),
       has_schema_privilege(s.oid, 'USAGE') AND (
           SELECT coalesce(bool_and(has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                                    AND has_table_privilege(c.oid, 'UPDATE')), true)
                  AND (count(*) = %(count)s OR has_schema_privilege(s.oid, 'CREATE'))
           FROM pg_catalog.pg_class c WHERE c.relnamespace = s.oid AND c.relname = ANY (%(tables)s)
       ),
       current_user, pg_get_userbyid(s.nspowner)
FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_namespace s ON s.nspname = 'novaops'
"""


class Journal(Protocol):
    """What an apply tells about itself while it runs. Statements are counted from 1."""

    @property
    def run(self) -> int | None:
        """The number in the history, once there is one."""

    def begin(self, made: Plan, resumed: Run | None = None) -> None:
        """The plan is about to run; `resumed` is the run that goes on."""

    def committing(self, first: int, last: int) -> None:
        """The transaction has run these statements and commits next."""

    def started(self, number: int) -> None:
        """A statement outside of transactions runs next."""

    def done(self, number: int) -> None:
        """It has run."""

    def undone(self, number: int) -> None:
        """It has failed, and what it left was cleared away."""

    def end(self, outcome: str, *, error: str | None = None, state: bytes | None = None) -> None:
        """The run is over; `state` is the digest of the schema if it converged."""


class NoJournal:
    """Remembers nothing (--no-journal)."""

    run: int | None = None

    def begin(self, made: Plan, resumed: Run | None = None) -> None:
        pass

    def committing(self, first: int, last: int) -> None:
        pass

    def started(self, number: int) -> None:
        pass

    def done(self, number: int) -> None:
        pass

    def undone(self, number: int) -> None:
        pass

    def end(self, outcome: str, *, error: str | None = None, state: bytes | None = None) -> None:
        pass


class DatabaseJournal:
    """Keeps the journal in the database that it is about, on the connection that changes it.

    Raises `NovaopsError` where the role may not: what it lacks is named.
    """

    def __init__(self, connection: psycopg.Connection[Any], run: int | None = None) -> None:
        self._connection = connection
        self.run = run
        self._before = 0  # statements of the run that were done before, and that the plan does not hold
        check_rights(connection)

    def begin(self, made: Plan, resumed: Run | None = None) -> None:
        with self._connection.transaction():
            _bring_up_to_date(self._connection)
            if resumed is not None:
                self.run = resumed.run
                self._before = resumed.statements - len(made.statements)
                self._execute(
                    "UPDATE novaops.journal SET outcome = NULL, error = NULL, finished = NULL, resumed = resumed + 1,"
                    " summary = jsonb_set(summary, '{consents}', %s) WHERE run = %s",
                    json.dumps(dict(made.consents)),
                )
                return
            self.run = self._begun(made)
            self._connection.execute(
                STATEMENTS, [self.run, json.dumps(list(map(_recorded, made.statements)))]
            )

    def _begun(self, made: Plan) -> int:
        summary = {
            "objects": made.summary,
            "options": dict(made.options),
            "time_zone": made.time_zone,
            "consents": dict(made.consents),
        }
        about = [client(), version("novaops"), identity(made), made.desired_fingerprint, made.files]
        row = self._connection.execute(
            "INSERT INTO novaops.journal (client, novaops, plan, desired, files, summary, stamp)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING run",
            [*about, json.dumps(summary), stamp(self._connection)],
        ).fetchone()
        assert row is not None  # noqa: S101
        return int(row[0])

    def committing(self, first: int, last: int) -> None:
        self._done(first, last)

    def started(self, number: int) -> None:
        self._set("started", number)

    def done(self, number: int) -> None:
        with self._connection.transaction():
            self._done(number, number)

    def undone(self, number: int) -> None:
        if not self._connection.closed:
            self._set("pending", number)

    def end(self, outcome: str, *, error: str | None = None, state: bytes | None = None) -> None:
        if self.run is None or self._connection.closed:
            return  # what is still unknown of the run is found by the next
        with self._connection.transaction():
            if state is not None:
                # Only the last known state is compared with.
                self._connection.execute("UPDATE novaops.journal SET state = NULL WHERE state IS NOT NULL")
            self._execute(
                "UPDATE novaops.journal SET outcome = %s, error = %s, state = %s, finished = clock_timestamp()"
                " WHERE run = %s",
                outcome,
                error,
                state,
            )

    def _done(self, first: int, last: int) -> None:
        self._connection.execute(
            "UPDATE novaops.journal_statement SET state = 'done', finished = clock_timestamp()"
            " WHERE run = %s AND number BETWEEN %s AND %s",
            [self.run, self._before + first, self._before + last],
        )
        self._execute("UPDATE novaops.journal SET stamp = %s WHERE run = %s", stamp(self._connection))

    def _set(self, state: str, number: int) -> None:
        self._connection.execute(
            "UPDATE novaops.journal_statement SET state = %s WHERE run = %s AND number = %s",
            [state, self.run, self._before + number],
        )

    def _execute(self, sql: str, *values: object) -> None:
        self._connection.execute(sql, [*values, self.run])


def _recorded(statement: Statement) -> dict[str, Any]:
    """The statement as it may be read by everybody: what is secret is masked in it."""
    names = ("transaction", "kind", "object", "operation", "sql", "masked", "index", "patient")
    return {
        **{name: getattr(statement, name) for name in names},
        "guards": [asdict(guard) for guard in statement.guards],
        "drops": [asdict(missing) for missing in statement.drops],
        "restores": statement.restores,
    }


def identity(made: Plan) -> str:
    """What tells one plan from another: where it starts, where it leads, and its statements."""
    statements = [[s.sql, s.transaction] for s in made.statements]
    text = json.dumps([made.source_fingerprint, made.desired_fingerprint, statements])
    return hashlib.sha256(text.encode()).hexdigest()


def client() -> str:
    """Who runs novaops, and where: the login and the host name, as far as the system knows them."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = "?"
    return f"{login}@{socket.gethostname()}"


def check_rights(connection: psycopg.Connection[Any]) -> None:
    """Raise `NovaopsError` if the role may neither make the journal nor write to the one there is."""
    row = connection.execute(RIGHTS, {"tables": list(TABLES), "count": len(TABLES)}).fetchone()
    assert row is not None  # noqa: S101
    there, may_create, complete, role, owner = row
    who = quote_ident(role)
    if not there and not may_create:
        raise NovaopsError(
            f"role {role} may not create the schema novaops, where what is applied is recorded; nothing was applied",
            hint=f"GRANT CREATE ON DATABASE {quote_ident(connection.info.dbname)} TO {who},"
            " or apply without a record: --no-journal",
        )
    if there and not complete:
        raise NovaopsError(
            f"role {role} may not write to the journal, which belongs to {owner}; nothing was applied",
            hint=f"GRANT USAGE ON SCHEMA novaops TO {who};"
            f" GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA novaops TO {who};"
            " or apply without a record: --no-journal",
        )


def _bring_up_to_date(connection: psycopg.Connection[Any]) -> None:
    """Make the tables, or take the steps that the ones there are lack."""
    taken = _version(connection)
    if taken > len(STEPS):
        raise NovaopsError(
            f"the journal was made by a newer novaops (version {taken}; this one knows {len(STEPS)})",
            hint="apply with that novaops, or without a record: --no-journal",
        )
    if taken == len(STEPS):
        return
    ensure_own_schema(connection)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS novaops.version (part text PRIMARY KEY, version integer NOT NULL)"
    )
    for name in STEPS[taken:]:
        try:
            connection.execute(files("novaops.execution").joinpath(name).read_text(encoding="utf-8"))
        except errors.InsufficientPrivilege as error:
            raise NovaopsError(
                f"role {connection.info.user} may not bring the journal up to date: {error.diag.message_primary};"
                " nothing was applied",
                hint="apply once as the owner of the tables in the schema novaops, or without a record: --no-journal",
            ) from error
    connection.execute(
        "INSERT INTO novaops.version VALUES ('journal', %s)"
        " ON CONFLICT (part) DO UPDATE SET version = excluded.version",
        [len(STEPS)],
    )


def _version(connection: psycopg.Connection[Any]) -> int:
    if not _is_there(connection, "to_regclass('novaops.version')"):
        return 0
    row = connection.execute("SELECT version FROM novaops.version WHERE part = 'journal'").fetchone()
    return 0 if row is None else int(row[0])


def _is_there(connection: psycopg.Connection[Any], expression: str) -> bool:
    row = connection.execute(f"SELECT {expression} IS NOT NULL").fetchone()
    return row is not None and bool(row[0])
