"""Runs the statements of a plan on a copy and looks at what each of them locks, rewrites and reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from novaops.db import shared_catalogs
from novaops.db.lock_modes import strongest
from novaops.errors import NovaopsError
from novaops.execution.copy import Stage
from novaops.planning.plan import Statement
from novaops.planning.statements import drops_at_once

OBSERVED = files("novaops.execution").joinpath("observe.sql").read_text()
RELATIONS = """
SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relfilenode
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
SCANS = """
SELECT c.oid, pg_stat_get_xact_numscans(c.oid)
FROM pg_catalog.pg_class c
WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND pg_stat_get_xact_numscans(c.oid) > 0
"""
# What cannot run in a transaction shows its locks to nobody: they are gone when it has ended.
# Section 13.3.1 lists CREATE INDEX CONCURRENTLY; for DROP INDEX see index_drop() in src/backend/catalog/index.c.
DOCUMENTED: Mapping[str, str] = {
    "CREATE INDEX CONCURRENTLY": "SHARE UPDATE EXCLUSIVE",
    "CREATE UNIQUE INDEX CONCURRENTLY": "SHARE UPDATE EXCLUSIVE",
    "DROP INDEX CONCURRENTLY": "SHARE UPDATE EXCLUSIVE",
}
CONCURRENTLY = "INDEX CONCURRENTLY "

Files = dict[int, tuple[str, int | None]]


class BeyondError(NovaopsError):
    """A statement cannot be tried: a copy is no place to commit what it does."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Watches the relations that are there at the beginning.

    By their oids, `files` are their names with their relfilenodes (0 where nothing is stored), and `scans` how
    often the transaction has read them so far.
    """

    stage: Stage
    files: Files
    scans: dict[int, int]

    @classmethod
    def of(cls, stage: Stage) -> Observer:
        files: Files = {oid: (name, file) for oid, name, file in stage.connection.execute(RELATIONS)}
        observer = cls(stage, files, {})
        observer._counted_from_now()
        return observer

    def run(self, statement: Statement) -> Statement:
        """Run one statement; returned with what it locked, rewrote and read as a whole."""
        if reaches_out(statement):
            return statement
        connection, text = self.stage.connection, statement.secret_sql or statement.sql
        if statement.transaction is None:
            # In the one transaction of a borrowed database the plain form does the same to the catalogs.
            connection.execute(text if self.stage.commits else text.replace(CONCURRENTLY, "INDEX ", 1))
            self._counted_from_now()
            return replace(statement, locks=_documented(text))
        with self.stage.step():
            connection.execute(text)
            self._check_inside(text)
            if self.files:
                seen = [row for row in connection.execute(OBSERVED) if row[0] in self.files]
                statement = self._noted(statement, seen)
            if self.files or drops_at_once(text):
                self._counted_from_now()
        return statement

    def _check_inside(self, text: str) -> None:
        """Raise `BeyondError`, which undoes the statement, if it changes more than the copy's own database."""
        # What is dropped at once passes through a role that is gone again.
        if self.stage.commits and not drops_at_once(text) and shared_catalogs.changed(self.stage.connection):
            raise BeyondError("it would change what belongs to the whole server (roles, settings of roles)")

    def _noted(self, statement: Statement, seen: list[Any]) -> Statement:
        old = self.files
        rewrites = [old[oid][0] for oid, _, file, _, _ in seen if file not in (None, old[oid][1])]
        scans = [old[oid][0] for oid, _, _, scans, _ in seen if (scans or 0) > self.scans.get(oid, 0)]
        # The one transaction of a borrowed database has made the tables, and holds the strongest lock on each.
        locks = [f"{old[oid][0]} {strongest(modes)}" for oid, *_, modes in seen if self.stage.commits]
        self.files.update({oid: (name, file) for oid, name, file, _, _ in seen if name is not None})
        return replace(
            statement,
            locks=tuple(sorted(locks)),
            rewrites=tuple(sorted(rewrites)),
            scans=tuple(sorted(scans)),
        )

    def _counted_from_now(self) -> None:
        """Counts are kept until they are reported, which happens between transactions, and not after each."""
        if self.stage.commits:
            self.stage.connection.execute("SELECT pg_stat_force_next_flush()")
        else:
            self.scans.update(self.stage.connection.execute(SCANS).fetchall())


def reaches_out(statement: Statement) -> bool:
    """Whether it does something on another server, which a copy has no business with.

    A subscription with a slot changes or drops that on its publisher, an enabled one copies rows
    from there (documentation, ALTER and DROP SUBSCRIPTION): outside a transaction, for it cannot be undone.
    """
    return statement.kind == "subscription" and statement.transaction is None


def _documented(text: str) -> tuple[str, ...]:
    return tuple(f"{mode} (documented)" for words, mode in DOCUMENTED.items() if text.startswith(words))
