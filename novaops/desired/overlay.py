"""What is declared of a database besides its files: laid over the shadow when these have been built.

The statements run in the shadow itself, so that PostgreSQL says what they come to: a mode goes down to
partitions, a sequence is found by the column that owns it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from psycopg.sql import SQL, Composed, Identifier
from psycopg.sql import Literal as Value

from novaops.catalog.address import Address
from novaops.catalog.write_grants import take
from novaops.desired.attempt import Session
from novaops.diagnostics import Diagnostic, Source

Mode = Literal["always", "origin", "replica", "disabled"]
CLAUSES: dict[Mode, str] = {
    "always": "ENABLE ALWAYS TRIGGER",
    "origin": "ENABLE TRIGGER",
    "replica": "ENABLE REPLICA TRIGGER",
    "disabled": "DISABLE TRIGGER",
}
TRIGGERS = """
SELECT n.nspname::text, c.relname::text, t.tgname::text
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
"""
SEQUENCES = """
SELECT tn.nspname::text, t.relname::text, n.nspname::text, s.relname::text
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
"""


@dataclass(frozen=True, slots=True)
class TriggerMode:
    """The mode that a trigger of a table has, on the table and on each of its partitions."""

    schema: str
    table: str
    trigger: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Counting:
    """How the sequences count that belong to columns of a table; None: as the files say."""

    schema: str
    table: str
    increment: int | None = None
    limits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Refusing:
    """A table that nobody but its owner may be granted to write to, nor to its partitions."""

    schema: str
    table: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is laid over the files; `declared_in` is the file that says so."""

    declared_in: str = "novaops.toml"
    modes: tuple[TriggerMode, ...] = ()
    counting: tuple[Counting, ...] = ()
    own: frozenset[tuple[str, str]] = frozenset()
    """Objects that other commands of novaops make and keep, as (type of the address, name)."""
    refusing: tuple[Refusing, ...] = ()
    given: frozenset[tuple[Address, str, str]] = frozenset()
    """Privileges that other commands give, as (object, grantee, privilege): plans leave them."""

    def lay(self, session: Session) -> list[Diagnostic]:
        """Run the statements in the shadow; what the files do not declare is a warning."""
        found = list(self._modes(session))
        for statement in self._sequences(session):
            session.execute(statement.as_string())
        take(session.connection, [(each.schema, each.table) for each in self.refusing])
        return found

    def _modes(self, session: Session) -> Iterator[Diagnostic]:
        if not self.modes:
            return
        there = set(session.execute(TRIGGERS).fetchall())
        for wanted in self.modes:
            table = Identifier(wanted.schema, wanted.table)
            if (wanted.schema, wanted.table, wanted.trigger) in there:
                clause = SQL(CLAUSES[wanted.mode])
                text = SQL("ALTER TABLE {} {} {}").format(table, clause, Identifier(wanted.trigger))
                session.execute(text.as_string())
            else:
                yield Diagnostic(
                    Source(self.declared_in, 1),
                    f"mode {wanted.mode} is declared for trigger {wanted.trigger} of {wanted.schema}.{wanted.table}, "
                    "which the files do not declare",
                    severity="warning",
                )

    def _sequences(self, session: Session) -> Iterator[Composed]:
        if not self.counting:
            return
        for schema, table, *sequence in session.execute(SEQUENCES).fetchall():
            for wanted in self.counting:
                if (wanted.schema, wanted.table) == (schema, table):
                    yield _counting(Identifier(*sequence), wanted)


def _counting(sequence: Identifier, wanted: Counting) -> Composed:
    text = SQL("ALTER SEQUENCE {}").format(sequence)
    if wanted.increment is not None:
        text += SQL(" INCREMENT BY {}").format(Value(wanted.increment))
    if wanted.limits is not None:
        low, high = map(Value, wanted.limits)
        text += SQL(" MINVALUE {0} MAXVALUE {1} START WITH {0} RESTART WITH {0}").format(low, high)
    return text
