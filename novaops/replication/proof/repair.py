"""Rows of the target made those of the source, one by one.

A row is written only while its version on the source is the one that was seen before and after a barrier: then
the target has applied everything that made it, and no change that is still on its way can meet the copy (an INSERT
that arrives after its row was copied would stop the worker at the key). And only while the target has what was seen
there: nothing is overwritten that somebody has written since. A lock keeps the worker
out while rows are written; the transaction is short, and the lock is waited for in a bounded way.

The rows are written as the apply worker writes them: triggers of mode ORIGIN and foreign keys stay silent, those of
mode ALWAYS and REPLICA fire.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from psycopg import errors
from psycopg.sql import SQL, Identifier

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.consent import loses, may_lose
from novaops.replication.declaration import Replication
from novaops.replication.pair import bound_lock_waits
from novaops.replication.proof.compare import Difference, Repair
from novaops.replication.proof.rows import Rows

BATCH = 5_000
TRIES = 5
ORIGIN = "novaops_repair"
"""Of a replication origin that is there while rows are written; the session's pid makes it unique."""
COPIED = Identifier("novaops_copied")


def repair(source: Rows, target: Rows, differences: Sequence[Difference]) -> int:
    """Repair what a comparison has found; returns how many rows are equal now."""
    return sum(
        _with_patience(source, target, differences[start : start + BATCH])
        for start in range(0, len(differences), BATCH)
    )


def repair_of(replication: Replication, allow: Collection[str]) -> Repair:
    """What copies rows that the target lacks; overwrites and deletes only in tables of which that is allowed."""

    def mend(source: Rows, target: Rows, differences: Sequence[Difference]) -> int:
        allowed = may_lose(allow, target.shape.table)
        wanted = [d for d in differences if d.kind == "missing" or (allowed and loses(replication, d.kind))]
        if not wanted:
            return 0
        if replication.direction == "one-way":
            return repair(source, target, wanted)
        with _origin(target):
            return repair(source, target, wanted)

    return mend


@contextmanager
def _origin(target: Rows) -> Iterator[None]:
    """Keep what is written from going back to the source, which has it and would stop at the key.

    What a session with a replication origin writes is not sent to subscriptions with `origin = none`
    (documentation, "Replication Progress Tracking").
    """
    connection = target.connection
    name = f"{ORIGIN}_{connection.info.backend_pid}"
    connection.execute("SELECT pg_replication_origin_create(%s)", [name])
    try:
        connection.execute("SELECT pg_replication_origin_session_setup(%s)", [name])
        try:
            yield
        finally:
            connection.execute("SELECT pg_replication_origin_session_reset()")
    finally:
        connection.execute("SELECT pg_replication_origin_drop(%s)", [name])


def _with_patience(source: Rows, target: Rows, batch: Sequence[Difference]) -> int:
    for left in reversed(range(TRIES)):
        try:
            return _repair(source, target, batch)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if not left:
                raise NovaopsError(
                    f"{target.shape.table} on the target stays locked: nothing was repaired there",
                    hint=f"{command_line('replicate status')} names who holds the lock",
                ) from None
    raise AssertionError


def _repair(source: Rows, target: Rows, batch: Sequence[Difference]) -> int:
    to = target.connection
    with to.transaction(), _as_worker(target):
        to.execute(SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target.relation))
        with source.connection.transaction():
            source.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            now = source.versions_of([d.key for d in batch])
            there = target.versions_of([d.key for d in batch])
            settled = [d for d in batch if (now.get(d.key), there.get(d.key)) == (d.source, d.target)]
            kept = [d.key for d in settled if d.source is not None]
            gone = [d.key for d in settled if d.source is None]
            if kept:
                _bring(source, target, kept)
        if gone:
            to.execute(
                SQL("DELETE FROM {} WHERE {}").format(target.relation, target.among()), target.arrays(gone)
            )
        if kept:
            _write(target)
    return len(settled)


@contextmanager
def _as_worker(target: Rows) -> Iterator[None]:
    connection = target.connection
    bound_lock_waits(connection)
    try:
        connection.execute("SET LOCAL session_replication_role = replica")
    except errors.InsufficientPrivilege as error:
        role = connection.info.user
        raise NovaopsError(
            f"role {role} may not write rows as a replication worker does",
            detail=error.diag.message_primary,
            hint=f"repair as a superuser, or: GRANT SET ON PARAMETER session_replication_role TO {role}",
        ) from error
    yield


def _bring(source: Rows, target: Rows, keys: Sequence[tuple[str, ...]]) -> None:
    """The source's rows in a temporary table of the target's types."""
    target.connection.execute(
        SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            COPIED, target.columns, target.relation
        )
    )
    select = SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(
        source.columns, source.relation, source.among()
    )
    into = SQL("COPY {} ({}) FROM STDIN").format(COPIED, target.columns)
    with (
        source.connection.cursor() as reading,
        target.connection.cursor() as writing,
        reading.copy(select, source.arrays(keys)) as rows,
        writing.copy(into) as copied,
    ):
        for block in rows:
            copied.write(block)


def _write(target: Rows) -> None:
    connection, shape = target.connection, target.shape
    key = [Identifier(column.name) for column in shape.key]
    others = [Identifier(name) for name in shape.columns if name not in {c.name for c in shape.key}]
    same = SQL(" AND ").join(SQL("t.{0} = c.{0}").format(name) for name in key)
    if others:
        sets = SQL(", ").join(SQL("{0} = c.{0}").format(name) for name in others)
        connection.execute(
            SQL("UPDATE {} AS t SET {} FROM {} AS c WHERE {}").format(target.relation, sets, COPIED, same)
        )
    columns = SQL(", ").join(map(Identifier, shape.columns))
    connection.execute(
        SQL(
            "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM {2} AS c"
            " WHERE NOT EXISTS (SELECT FROM {0} AS t WHERE {3})"
        ).format(target.relation, columns, COPIED, same)
    )
