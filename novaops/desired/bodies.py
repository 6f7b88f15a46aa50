"""Checks the bodies of the routines that the files declare, when everything they may name exists.

The statements of the files run with `check_function_bodies` off, in whatever order works. So this is where
a body is read for the first time: by the validator of its language, which is what CREATE FUNCTION
asks (pg_language.lanvalidator), and where the server has plpgsql_check, statement by statement. No body runs.

A finding that may be wrong is none. The `search_path` of a call is the caller's, so a body is broken
only if it is under every path it may meet; that of a trigger only if it is for each of its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any, Literal

import psycopg
from psycopg.rows import tuple_row

from novaops.catalog.address import Oid
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.desired.attempt import SAVEPOINT, Session, Task
from novaops.desired.body_findings import Body, Finding, Places, Trigger, diagnostics
from novaops.desired.settings import Settings
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError

CheckFunctions = Literal["auto", "strict", "off"]
Unchanged = Callable[[Sequence[Body]], Mapping[str, bool]]
"""Of bodies that are broken in the files, the live ones, by identity, and whether they are refused there too."""

BATCH = 128
"""At most so many bodies are checked in one message."""
EXTENSION_SCHEMA = "novaops"
"""Where plpgsql_check is made; the name is reserved for novaops."""

PG_PROC = 1255
"""The oid of the catalog, the same on every server (src/include/catalog/pg_proc.h)."""

# Classes of SQLSTATE about a body: data (a constant), syntax and names, schemas, features. Others are
# about the server. Of these, missing privileges say nothing about the body either.
ABOUT_BODIES = ("22", "42", "3F", "0A")
NO_PRIVILEGE = "42501"
# Parameters of pg_proc.proconfig that decide on privileges, not on what a body means.
ROLES = frozenset(["role", "session_authorization"])

# Errors of plpgsql_check that rest on the parse analysis of a statement have a position. Of the others, most are
# guesses at records whose columns only a run would tell; but a result's and a trigger's row have known ones.
_STATEMENT_CHECK = """
SELECT {oid} AS body, sqlstate, message, detail, hint, lineno, query, position
FROM {schema}.plpgsql_check_function_tb(
    {oid}, {table}, fatal_errors => false, other_warnings => false, extra_warnings => false,
    oldtable => {old_table}, newtable => {new_table})
WHERE level = 'error' AND (
    (position IS NOT NULL AND sqlstate LIKE '42%' AND sqlstate <> '42501')
    OR (sqlstate = '42804' AND statement = 'RETURN QUERY')
    OR (sqlstate = '42703' AND message ~ '^record "(new|old)"'))
"""

Probe = Callable[[Body, int], str]
"""The query that checks a body, that of a trigger as of the given one of its tables."""
Found = dict[Body, list[Finding]]


def check(
    session: Session,
    tasks: Sequence[Task],
    made: Mapping[Oid, Statement],
    unchanged: Unchanged,
    *,
    strict: bool,
) -> list[Diagnostic]:
    """Warnings about the bodies that the statements made; `DiagnosticsError` with everything if there are errors.

    Whatever is done to find it is undone.
    """
    makers = {oid.objid: statement for oid, statement in made.items() if oid.classid == PG_PROC}
    if not makers:
        return []
    with session.connection.transaction(force_rollback=True):
        inner = Session(session.connection, commit=False)
        inner.execute(f"SAVEPOINT {SAVEPOINT}")
        bodies = _bodies(inner, list(makers))
        settings = {id(task.statement): task.settings for task in tasks}
        checker = _Checker(inner, {oid: settings[id(statement)] for oid, statement in makers.items()})
        found = checker.broken(bodies, _validation)
        # Where its tables are unknown, a trigger's body can only be compiled.
        whole = [b for b in bodies if b not in found and b.planned and (b.triggers or not b.for_triggers)]
        if whole and (schema := _extension(inner)) is not None:
            found |= checker.broken(whole, partial(_statement_check, schema))
    findings = [finding for each in found.values() for finding in each]
    if not findings:
        return []
    told = diagnostics(findings, Places(tasks, makers), bodies, unchanged(list(found)), strict=strict)
    told.sort(key=lambda diagnostic: diagnostic.source)
    if any(diagnostic.severity == "error" for diagnostic in told):
        raise DiagnosticsError(told)
    return told


def unchanged_in(connection: psycopg.Connection[Any], bodies: Sequence[Body]) -> dict[str, bool]:
    """The bodies that the database has as well, by identity, and whether the validator refuses them there."""
    wanted = {(body.identity, body.source) for body in bodies}
    with connection.transaction(force_rollback=True):
        session = Session(connection, commit=False)
        session.execute("SET lock_timeout = '1s'")
        session.execute(f"SAVEPOINT {SAVEPOINT}")
        query = "SELECT oid FROM pg_catalog.pg_proc WHERE prosrc = ANY (%s)"
        equal = connection.cursor(row_factory=tuple_row).execute(query, [[body.source for body in bodies]])
        live = [b for b in _bodies(session, [o for (o,) in equal]) if (b.identity, b.source) in wanted]
        broken = _Checker(session, {}).broken(live, _validation)
    return {body.identity: body in broken for body in live}


def _bodies(session: Session, made: Sequence[int]) -> list[Body]:
    query = files("novaops.desired").joinpath("bodies.sql").read_text()
    session.execute("SET search_path = ''")
    rows = session.connection.cursor(row_factory=tuple_row).execute(query, [made]).fetchall()
    session.execute("RESET search_path")
    return [
        Body(
            *(oid, identity, name, schema, validator, source),
            dict(entry.split("=", 1) for entry in config),
            planned,
            for_triggers,
            tuple(Trigger(*trigger) for trigger in triggers),
        )
        for oid, identity, name, schema, validator, source, config, planned, for_triggers, triggers in rows
    ]


def _extension(session: Session) -> str | None:
    """The schema of plpgsql_check; None where it cannot be had."""
    found = (
        "SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'plpgsql_check'"
    )
    if (row := session.execute(found).fetchone()) is not None:
        return str(row[0])
    made = session.guarded(
        f"CREATE SCHEMA IF NOT EXISTS {EXTENSION_SCHEMA}; CREATE EXTENSION plpgsql_check SCHEMA {EXTENSION_SCHEMA}"
    )
    return EXTENSION_SCHEMA if made else None


def _validation(body: Body, _: int) -> str:
    return f"SELECT {body.validator}({body.oid})"


def _statement_check(schema: str, body: Body, number: int) -> str:
    trigger = body.triggers[number] if body.triggers else Trigger("0", None, None)
    return _STATEMENT_CHECK.format(
        oid=body.oid,
        schema=schema,
        table=trigger.table,
        old_table=quote_literal(trigger.old_table) if trigger.old_table else "NULL",
        new_table=quote_literal(trigger.new_table) if trigger.new_table else "NULL",
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """One check of one body, under the settings that it may be called with."""

    body: Body
    sql: str
    settings: Settings


class _Checker:
    """Checks bodies, many in one message, each under every search path that it may meet."""

    def __init__(self, session: Session, places: Mapping[int, Settings]) -> None:
        """`places` holds the settings at the place of each routine in the files, by its oid."""
        self.session = session
        self.places = places
        query = (
            "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            " ORDER BY nspname <> 'public', nspname"
        )
        self.schemas = [name for (name,) in session.execute(query).fetchall()]
        session.guarded("SET check_function_bodies = on")

    def broken(self, bodies: Sequence[Body], probe: Probe) -> Found:
        """Findings of the bodies that are broken wherever they are called from, for each of their tables."""
        paths = {body: self.paths(body) for body in bodies}
        found = self.run([_Job(body, probe(body, 0), paths[body][0]) for body in bodies])
        for number in range(1, 3):
            again = [body for body in found if len(paths[body]) > number]
            still = self.run([_Job(body, probe(body, 0), paths[body][number]) for body in again])
            found = {body: each for body, each in found.items() if body not in again or body in still}
        for number in range(1, max((len(body.triggers) for body in found), default=0)):
            again = [body for body in found if len(body.triggers) > number]
            others = self.run([_Job(body, probe(body, number), paths[body][0]) for body in again])
            for body in again:
                found[body] = [f for f in found[body] if f in others.get(body, ())]
            found = {body: each for body, each in found.items() if each}
        return found

    def paths(self, body: Body) -> list[Settings]:
        """The settings a body may meet: its own, or with every schema there is, as in the file, by default."""
        own = {name: _set(name, value) for name, value in body.config.items() if name not in ROLES}
        if "search_path" in own:
            return [Settings(own)]
        everything = ", ".join(map(quote_ident, dict.fromkeys((body.schema, *self.schemas))))
        found = [Settings({**own, "search_path": _set("search_path", everything)})]
        if (there := self.places.get(body.oid, Settings()).values.get("search_path")) is not None:
            found.append(Settings({**own, "search_path": there}))
        return [*found, Settings(own)]

    def run(self, jobs: Sequence[_Job]) -> Found:
        """What was found, by body; a body without findings is not in it."""
        found: Found = {}
        for at in range(0, len(jobs), BATCH):
            for finding in self._findings(jobs[at : at + BATCH]):
                found.setdefault(finding.body, []).append(finding)
        return found

    def _findings(self, jobs: Sequence[_Job]) -> Iterator[Finding]:
        """The findings of jobs that are run in one message; where one fails, in two, and so on."""
        texts: list[str] = []
        settings = Settings()
        for job in jobs:
            texts += [*self.session.way(settings, job.settings), job.sql]
            settings = job.settings
        result = self.undone(texts)
        if not isinstance(result, psycopg.Error):
            yield from _rows({job.body.oid: job.body for job in jobs}, result)
        elif len(jobs) > 1:
            yield from self._findings(jobs[: len(jobs) // 2])
            yield from self._findings(jobs[len(jobs) // 2 :])
        elif _about_body(result) and not isinstance(self.undone(texts[:-1]), psycopg.Error):
            yield _refusal(jobs[0].body, result)

    def undone(self, texts: Sequence[str]) -> psycopg.Cursor[Any] | psycopg.Error:
        """Run a message, give up what it has set and locked, and return its results or its error."""
        result: psycopg.Cursor[Any] | psycopg.Error
        try:
            result = self.session.execute(";".join(texts))
        except psycopg.Error as error:
            if self.session.connection.closed:
                raise
            result = error
        self.session.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        return result


def _set(name: str, value: str) -> str:
    return f"SELECT pg_catalog.set_config({quote_literal(name)}, {quote_literal(value)}, false)"


def _about_body(error: psycopg.Error) -> bool:
    code = error.sqlstate or ""
    return code.startswith(ABOUT_BODIES) and code != NO_PRIVILEGE


def _refusal(body: Body, error: psycopg.Error) -> Finding:
    """The error of a validator as a finding; PL/pgSQL tells the line in its context where it knows no more."""
    diag = error.diag
    return Finding(
        body,
        error.sqlstate or "",
        diag.message_primary or str(error),
        diag.message_detail,
        diag.message_hint,
        context=diag.context,
        query=diag.internal_query,
        position=int(diag.internal_position) if diag.internal_position else None,
    )


def _rows(bodies: Mapping[int, Body], cursor: psycopg.Cursor[Any]) -> Iterator[Finding]:
    """The findings in all results of a message; only those of a statement check have rows of them."""
    more: bool | None = True
    while more:
        if cursor.description and cursor.description[0].name == "body":
            for oid, code, message, detail, hint, line, query, position in cursor.fetchall():
                yield Finding(
                    bodies[oid], code, message, detail, hint, None, line, query, position, late=True
                )
        more = cursor.nextset()
