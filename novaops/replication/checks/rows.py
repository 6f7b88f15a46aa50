"""Rows that the target has already, and sequences that do not follow replicated keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg.sql import SQL, Composable, Identifier

from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Both, Scene

LOOKED_AT = 10_000
"""At most so many keys of the target are looked for on the source."""
SHOWN = 5


@check(
    "existing-rows",
    "note",
    "the target's tables are empty",
    "the set-up compares them with the source's and copies what differs; nothing is deleted",
)
def existing_rows(scene: Scene) -> Iterator[Problem]:
    if scene.subscription is not None:
        return
    for both in _readable(scene):
        if _exists(scene.target.connection, SQL("SELECT FROM {}").format(_table(both))):
            yield Problem(f"{both.declared} on the target has rows already")


@check(
    "key-overlap",
    "error",
    "the target has no rows that the source lacks",
    'move or delete them on the target, or declare direction = "both" with keys that cannot meet',
)
def key_overlap(scene: Scene) -> Iterator[Problem]:
    """A row of the source that gets such a key later stops the worker: the key is a duplicate there."""
    if scene.subscription is not None or scene.replication.direction == "both":
        return
    for both in _readable(scene):
        key = both.source.primary_key if both.source else ()
        if not key or any(name not in both.target_columns for name in key):
            continue
        if alone := _alone(scene, both, key):
            shown = ", ".join(alone[:SHOWN])
            more = f" and {len(alone) - SHOWN} more" if len(alone) > SHOWN else ""
            yield Problem(
                f"{both.declared} on the target has rows that the source lacks: {', '.join(key)} {shown}{more}",
                f"of the first {LOOKED_AT:,} keys; a row of the source with such a key stops the worker",
            )


@check(
    "sequence-behind",
    "note",
    "sequences of the target are ahead of the keys that are replicated",
    "novaops replicate sequences, when the target is to take rows of its own",
)
def sequence_behind(scene: Scene) -> Iterator[Problem]:
    """Values of sequences are not replicated: the next local row would take a key that is there."""
    if scene.replication.keys is not None:  # the set-up sees to them
        return
    for both in _readable(scene):
        for name, column in both.target_columns.items():
            if column.sequence is None or name not in both.source_columns:
                continue
            query = SQL("SELECT max({}) FROM {}").format(Identifier(name), _table(both))
            highest = _one(scene.source.connection, query)
            at = _one(scene.target.connection, SQL("SELECT last_value FROM {}").format(SQL(column.sequence)))
            if highest is not None and at is not None and at <= highest:
                yield Problem(
                    f"sequence {column.sequence.removeprefix('public.')} of the target is at {at:,}, the keys of "
                    f"{both.declared} go up to {highest:,}",
                    "a row written on the target would take a key that a replicated row has",
                    severity="note"
                    if scene.replication.read_only or scene.subscription is None
                    else "warning",
                )


def _alone(scene: Scene, both: Both, key: tuple[str, ...]) -> list[str]:
    """Keys on the target only, as text."""
    columns = SQL(", ").join(Identifier(name) for name in key)
    query = SQL("SELECT {} FROM {} ORDER BY {} DESC LIMIT {}").format(
        SQL(", ").join(SQL("{}::text").format(Identifier(name)) for name in key),
        _table(both),
        columns,
        SQL(str(LOOKED_AT)),
    )
    there = scene.target.connection.execute(query).fetchall()
    if not there:
        return []
    names = [Identifier(f"c{number}") for number in range(len(key))]
    # Compared as the source's own type: one key may be written in more than one way.
    same = SQL(" AND ").join(
        SQL("s.{} = k.{}::{}").format(Identifier(name), text, SQL(both.source_columns[name].type))
        for name, text in zip(key, names, strict=True)
    )
    query = SQL(
        "SELECT k.* FROM unnest({given}) AS k ({names}) WHERE NOT EXISTS (SELECT FROM {table} AS s WHERE {same})"
    ).format(
        given=SQL(", ").join([SQL("%s::text[]")] * len(key)),
        names=SQL(", ").join(names),
        table=_table(both),
        same=same,
    )
    given = [list(values) for values in zip(*there, strict=True)]
    return [", ".join(row) for row in scene.source.connection.execute(query, given).fetchall()]


def _readable(scene: Scene) -> Iterator[Both]:
    """Tables that both sides have and let this role read."""
    return (b for b in scene.tables() if b.source and b.target and b.source.readable and b.target.readable)


def _table(both: Both) -> Identifier:
    return Identifier(both.declared.schema, both.declared.name)


def _exists(connection: Any, query: Composable) -> bool:
    return bool(_one(connection, SQL("SELECT EXISTS ({})").format(query)))


def _one(connection: Any, query: Composable) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


CHECKS = (existing_rows, key_overlap, sequence_behind)
