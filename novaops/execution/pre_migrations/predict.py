"""Runs pending pre-migrations on a throwaway copy of the live schema, to know what they will leave."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.db import shared_catalogs
from novaops.db.connection import reset
from novaops.desired.classify import classify, command_words
from novaops.desired.destructive import UNKNOWN, judge
from novaops.desired.lexer import words_in
from novaops.desired.rules import Action
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic
from novaops.execution.copy import Stage
from novaops.execution.pre_migrations.carried import carried
from novaops.execution.pre_migrations.files import Migration
from novaops.execution.pre_migrations.functions import reach
from novaops.execution.pre_migrations.run import failure
from novaops.planning.diff import Comparison

# Refused in a declared schema, and without harm on a copy.
ALLOWED = frozenset(
    ["LOCK", "CLUSTER", "PREPARE", "EXECUTE", "DEALLOCATE", "DECLARE", "FETCH", "MOVE", "CLOSE"]
)
NO_ROWS = "this was on a copy of the schema, which holds no rows"
IDENTITY = (
    "SELECT (pg_catalog.pg_identify_object('pg_class'::regclass, oid, 0)).identity FROM pg_catalog.pg_class"
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the copy showed.

    `snapshot` is the live database as the files will leave it, or as it is where that could not be
    told: `failed` is the statement that failed on the copy, `error` why no copy could be made.
    `written` are identities of tables whose rows the files may change; `left_out` names statements
    that were not run on the copy.
    """

    snapshot: Snapshot
    written: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    failed: Diagnostic | None = None
    error: str | None = None

    @property
    def certain(self) -> bool:
        return self.failed is None and self.error is None


def predict(
    stage: Stage, live: Snapshot, migrations: Sequence[Migration], comparison: Comparison
) -> Prediction:
    """Run the files on a copy of `live`, and read it back."""
    connection = stage.connection
    with stage.rehearsal():
        try:
            stage.copy(live, comparison)
        except psycopg.Error as error:
            return Prediction(live, error=error.diag.message_primary or str(error).partition("\n")[0])
        before = stage.snapshot()
        kept_away = set(_kept_away(connection, migrations))
        written: set[int] = set()
        for migration in migrations:
            failed = _on_copy(connection, migration, kept_away, written)
            if failed is not None:
                return Prediction(
                    live, _identities(connection, written), _told(migrations, kept_away), failed
                )
        reset(connection)
        after = stage.snapshot()
        left_out = _told(migrations, kept_away)
        return Prediction(carried(live, before, after), _identities(connection, written), left_out)


def _told(migrations: Sequence[Migration], kept_away: Container[Statement]) -> tuple[str, ...]:
    return tuple(
        f"{s.source}: {command_words(s)} was not run on the copy"
        for m in migrations
        for s in m.statements
        if s in kept_away
    )


def _on_copy(
    connection: psycopg.Connection[Any],
    migration: Migration,
    kept_away: set[Statement],
    written: set[int],
) -> Diagnostic | None:
    """Run what may run there of a file; the statement that failed, if one did.

    What turns out to change more than the copy's database is undone, and joins what is `kept_away`.

    A file that commits its statements one by one does so here too, where the copy is a database of
    its own, but each in a transaction: CONCURRENTLY is left out.
    """
    reset(connection)
    groups = [migration.statements] if migration.transactional else [(s,) for s in migration.statements]
    for group in groups:
        while True:
            statement, beyond = None, False
            try:
                with connection.transaction() as whole:
                    for statement in (s for s in group if s not in kept_away):
                        connection.execute(
                            classify(statement).sql if _rewritten(statement) else statement.text
                        )
                        # Elsewhere everything is rolled back in the end.
                        if beyond := connection.autocommit and shared_catalogs.changed(connection):
                            raise psycopg.Rollback(whole)
                        written.update(_touched(connection, statement))
            except psycopg.Error as error:
                if connection.closed or statement is None:
                    raise
                return failure(error, statement, NO_ROWS)
            if not beyond or statement is None:
                break
            kept_away.add(statement)
            connection.execute(shared_catalogs.FORGET)
    return None


def _touched(connection: psycopg.Connection[Any], statement: Statement) -> Iterator[int]:
    """Tables that it writes to; a block that nobody can look into is taken to write to all it names."""
    yield from (oid for (oid,) in connection.execute(_query("written")))
    if judge(statement).hazard == UNKNOWN:
        yield from (oid for (oid,) in connection.execute(_query("named"), [sorted(words_in(statement.text))]))


def _query(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text()


def _identities(connection: psycopg.Connection[Any], oids: set[int]) -> frozenset[str]:
    rows = connection.execute(f"{IDENTITY} WHERE oid = ANY (%s)", [list(oids)])
    return frozenset(row[0] for row in rows)


def _kept_away(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> frozenset[Statement]:
    """Statements that act on more than the database, as far as their text tells, and so may not be tried."""
    judged = {s: judge(s) for m in migrations for s in m.statements}
    functions = reach(connection, judged.values())
    return frozenset(
        s
        for s, judgement in judged.items()
        if not _stays_inside(s) or any(functions[n].beyond for n in judgement.calls & functions.keys())
    )


def _stays_inside(statement: Statement) -> bool:
    words = statement.words
    if words[0] in ALLOWED:
        return True
    if words[0] in ("ALTER", "DROP") and words[1:2] == ("SUBSCRIPTION",):
        return False
    return classify(statement).action is not Action.REFUSE


def _rewritten(statement: Statement) -> bool:
    """Whether the declared files have a harmless form of it: without CONCURRENTLY, or a connection."""
    return statement.words[0] in ("CREATE", "DROP", "REFRESH", "ALTER")
