"""Rows that the target has already, and sequences that do not follow replicated keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from psycopg import DataError
from psycopg.sql import SQL, Composable, Identifier

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Both, Scene
from novaops.replication.consent import HAZARD, Loss, losses, may_lose
from novaops.replication.pair import LOCK_TIMEOUT
from novaops.replication.proof.compare import TableComparison, told_apart
from novaops.replication.proof.rows import Rows, filtered, reader, shape

LOOKED_AT = 10_000
"""At most so many keys of the target are looked for on the source."""


@check(
    "existing-rows",
    "note",
    "the target's tables are empty",
    "the set-up compares them with the source's, and copies what is missing",
)
def existing_rows(scene: Scene) -> Iterator[Problem]:
    if scene.subscription is not None:
        return
    for both in _readable(scene):
        if _exists(scene.target.connection, SQL("SELECT FROM {}").format(_table(both))):
            yield Problem(f"{both.declared} on the target has rows already")


@check(
    HAZARD,
    "error",
    "no row of the target would be overwritten or deleted",
    lambda replication: command_line("replicate", *replication.options, "--allow", "data-loss:TABLE"),
)
def data_loss(scene: Scene) -> Iterator[Problem]:
    """What the set-up itself finds in all rows is told here of those with the highest keys."""
    if scene.subscription is not None or scene.replication.copy != "data":
        return
    for loss in _losses(scene):
        if isinstance(loss, Problem):
            yield loss
            continue
        yield Problem(
            f"rows of {scene.target.database} would be lost: {loss}",
            "; ".join([*loss.keys(), f"of the {LOOKED_AT:,} highest keys"]),
            "keep what is needed of them elsewhere; to let them go: "
            + command_line("replicate", *scene.replication.options, "--allow", loss.consent),
            "note" if may_lose(scene.allow, loss.table) else None,
        )


@check(
    "key-overlap",
    "error",
    "the target has no keys that the source may still give",
    'move or delete them on the target, or declare direction = "both" with keys that cannot meet',
)
def key_overlap(scene: Scene) -> Iterator[Problem]:
    """Where no rows are copied, rows of the target stay: a row of the source that gets such a key stops the worker."""
    if scene.subscription is not None or scene.replication.copy != "none":
        return
    for loss in _losses(scene):
        if isinstance(loss, Problem):
            yield loss
        elif loss.deleted:
            yield Problem(
                f"{loss.table} on the target has rows that the source lacks: {loss.shown_keys('extra')}",
                f"of the {LOOKED_AT:,} highest keys; a row of the source with such a key stops the worker",
            )


@check(
    "sequence-behind",
    "note",
    "sequences of the target are ahead of the keys that are replicated",
    lambda replication: (
        f"{command_line('replicate sequences', *replication.options)}, when the target is to take rows of its own"
    ),
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


def _losses(scene: Scene) -> Iterator[Loss | Problem]:
    """What the highest keys of the tables tell that would be lost; a problem where they cannot be looked at."""
    for both in _readable(scene):
        try:
            yield from losses(scene.replication, _last_rows(scene, both))
        except NovaopsError as error:
            yield Problem(f"not looked at: {error.message}", error.detail, error.hint, "warning")


def _last_rows(scene: Scene, both: Both) -> list[TableComparison]:
    """The target's rows with the highest keys, compared with the source's in the columns that both have."""
    with reader(scene.replication.source) as source, reader(scene.replication.target) as target:
        for connection in (source, target):
            connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT.total_seconds():.0f}s'")
        seen = shape(source, both.declared)
        there = tuple(name for name in seen.columns if name in both.target_columns)
        if not seen.key or any(column.name not in there for column in seen.key):
            return []
        seen = replace(seen, columns=there)
        theirs = filtered(target, seen).last(LOOKED_AT)
        try:
            ours = Rows(source, seen).versions_of(list(theirs))
        except DataError as error:
            raise NovaopsError(
                f"the target's keys of {both.declared} are none of the source's type",
                detail=error.diag.message_primary,
                hint="give the key the same type on both sides",
            ) from error
    return [told_apart(seen, ours, theirs)]


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


CHECKS = (existing_rows, data_loss, key_overlap, sequence_behind)
