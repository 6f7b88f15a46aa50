"""The journal of set-ups, kept in the target: what a run has made, named before it is made.

A run that was killed has no outcome. The next one for the same replication goes on with it, so that it knows
the slot without a subscription for its own, and undoes at a failure what both have made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

import psycopg

from novaops.db.own_schema import ensure_own_schema
from novaops.execution.journal import client
from novaops.replication.declaration import Replication

TABLE = "novaops.replication_run"
STEPS = (("run", "journal_1.sql"), ("consents", "journal_2.sql"))
"""How the table came to be what it is: the column by which a step is known to be taken, and its file."""
COLUMNS = """
SELECT attname::text FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a run has made or changed, in texts; what they mean is known to who writes it (`taken.py`).

    `before` is what undoing needs: the modes of triggers, the former tables of a publication.
    """

    kind: str
    name: str
    before: tuple[str, ...] = ()


@dataclass(slots=True)
class RunJournal:
    """One run. Every entry is committed by itself, before the step that it is about."""

    connection: psycopg.Connection[Any]
    run: int
    made: list[Made] = field(default_factory=list)
    resumed: bool = False

    @classmethod
    def begin(
        cls,
        connection: psycopg.Connection[Any],
        replication: Replication,
        action: str,
        consents: Mapping[str, str] | None = None,
    ) -> RunJournal:
        """Begin a run, or go on with one that was cut off; `consents` with their reasons are kept with it."""
        _prepare(connection)
        source = str(replication.source)
        row = connection.execute(
            f"SELECT run, made FROM {TABLE} WHERE replication = %s AND source = %s AND action = %s"
            " AND outcome IS NULL ORDER BY run DESC LIMIT 1",
            [replication.name, source, action],
        ).fetchone()
        if row is not None:
            connection.execute(
                f"UPDATE {TABLE} SET consents = consents || %s WHERE run = %s",
                [json.dumps(dict(consents or {})), row[0]],
            )
            return cls(connection, row[0], _read(row[1]), resumed=True)
        row = connection.execute(
            f"INSERT INTO {TABLE} (replication, source, action, client, consents) VALUES (%s, %s, %s, %s, %s)"
            " RETURNING run",
            [replication.name, source, action, client(), json.dumps(dict(consents or {}))],
        ).fetchone()
        assert row is not None  # noqa: S101
        return cls(connection, row[0])

    def making(self, kind: str, name: str, *before: str) -> None:
        """The run is about to make it. What is known already keeps the state that was there first."""
        if any((m.kind, m.name) == (kind, name) for m in self.made):
            return
        self.made.append(Made(kind, name, before))
        self._write()

    def forget(self, made: Made) -> None:
        """It is undone."""
        self.made.remove(made)
        self._write()

    def has_made(self, kind: str, name: str) -> bool:
        return any((m.kind, m.name) == (kind, name) for m in self.made)

    def end(self, outcome: str, error: str | None = None) -> None:
        """The run is over."""
        if not self.connection.closed:
            self.connection.execute(
                f"UPDATE {TABLE} SET outcome = %s, error = %s, finished = clock_timestamp() WHERE run = %s",
                [outcome, error, self.run],
            )

    def _write(self) -> None:
        self.connection.execute(
            f"UPDATE {TABLE} SET made = %s WHERE run = %s",
            [json.dumps([asdict(m) for m in self.made]), self.run],
        )


def unfinished(connection: psycopg.Connection[Any], replication: Replication, action: str) -> bool:
    """Whether a run was cut off and waits to be gone on with."""
    return left(connection, replication, action) is not None


def left(connection: psycopg.Connection[Any], replication: Replication, action: str) -> list[Made] | None:
    """What a run that was cut off had written down; None where there is none."""
    row = connection.execute("SELECT to_regclass(%s)", [TABLE]).fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute(
        f"SELECT made FROM {TABLE} WHERE replication = %s AND source = %s AND action = %s AND outcome IS NULL"
        " ORDER BY run DESC LIMIT 1",
        [replication.name, str(replication.source), action],
    ).fetchone()
    return None if found is None else _read(found[0])


def _read(made: list[dict[str, Any]]) -> list[Made]:
    return [Made(m["kind"], m["name"], tuple(m["before"])) for m in made]


def _prepare(connection: psycopg.Connection[Any]) -> None:
    ensure_own_schema(connection)
    there = {name for (name,) in connection.execute(COLUMNS, [TABLE]).fetchall()}
    for column, file in STEPS:
        if column not in there:
            with connection.transaction():
                connection.execute(files(__package__).joinpath(file).read_text(encoding="utf-8"))
