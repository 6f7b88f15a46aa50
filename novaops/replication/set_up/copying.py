"""The initial copy, which the target's server makes by itself: watched, and explained when it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.progress import Reporter
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import Relation, Subscription, subscriptions
from novaops.replication.pair import Pair
from novaops.replication.proof.health import findings
from novaops.replication.proof.rows import Rows, reader, shape
from novaops.replication.proof.state import READY, read_state
from novaops.replication.set_up.slot import waited_for

POLL = 0.1
LAUNCH = timedelta(seconds=15)
STUCK = timedelta(seconds=60)
"""How long nothing may move at all before the wait is given up."""


def wait_for_worker(pair: Pair, replication: Replication) -> None:
    """Give the launcher the time that it takes: before 16 it starts one worker in 5 s (wal_retrieve_retry_interval)."""
    deadline = time.monotonic() + LAUNCH.total_seconds()
    while time.monotonic() < deadline:
        found = subscriptions(pair.target.connection).get(replication.subscription)
        if found is None or not found.enabled or found.apply_worker is not None:
            return
        time.sleep(POLL)


def wait_for_another_worker(pair: Pair, before: Subscription) -> None:
    """Give the worker the time to end, and the launcher that for the next one; a disabled subscription has none."""
    former = before.apply_worker.pid if before.apply_worker else None
    deadline = time.monotonic() + LAUNCH.total_seconds()
    while before.enabled and time.monotonic() < deadline:
        found = subscriptions(pair.target.connection).get(before.name)
        if found is None or (found.apply_worker is not None and found.apply_worker.pid != former):
            return
        time.sleep(POLL)


def wait_until_copied(pair: Pair, replication: Replication, reporter: Reporter) -> None:
    """Wait until every table is ready; as long as rows come, however long that takes.

    Raises `NovaopsError` with the reason when the copy fails, or nothing moves for `STUCK`.
    """
    expected = _expected(pair, replication)
    moved, before, said = time.monotonic(), None, ""
    while True:
        found = subscriptions(pair.target.connection).get(replication.subscription)
        if found is None:
            raise NovaopsError(f"the subscription {replication.subscription} was dropped meanwhile")
        if found.ready:
            return
        if not found.enabled:
            raise failed(pair, replication, found)
        copied = _copied(pair, found)
        reporter.progress(f"{copied} rows", min(copied / expected, 1.0) if expected else None)
        now = (copied, tuple(r.state for r in found.relations))
        if now != before:
            moved, before = time.monotonic(), now
        elif time.monotonic() - moved > STUCK.total_seconds():
            raise _stuck(pair, replication)
        elif time.monotonic() - moved > 2 and (text := _why(pair, replication)) and text != said:
            said = text
            reporter.waiting(text)
        time.sleep(POLL)


def failed(pair: Pair, replication: Replication, found: Subscription) -> NovaopsError:
    """The error of the copy that made the subscription disable itself, seen by copying once more, for nothing."""
    tables = {(t.schema, t.name): t for t in replication.tables}
    for relation in found.relations:
        table = tables.get((relation.schema, relation.name))
        if relation.state != READY and table is not None and (why := _reason(pair, table, relation)):
            return NovaopsError(
                f"{table} could not be copied to {replication.target.database}: {why}",
                hint=f"mend it, then: {command_line('replicate', *replication.options)}",
            )
    return NovaopsError(
        f"the subscription {replication.subscription} was disabled while it copied "
        f"({found.sync_errors} errors of the copy, {found.apply_errors} of applying)",
        hint="the log of the target's server has the reason",
    )


def _reason(pair: Pair, table: ReplicatedTable, relation: Relation) -> str | None:
    """The server's words when the rows are copied as the worker copies them, in a transaction that is rolled back."""
    with reader(pair.source.endpoint) as source, reader(pair.target.endpoint) as target:
        rows = Rows(source, shape(source, table))
        names = Identifier(relation.schema, relation.name)
        try:
            with (
                target.transaction(force_rollback=True),
                source.cursor() as reading,
                target.cursor() as writing,
            ):
                target.execute("SET LOCAL session_replication_role = replica")
                select = SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT")
                into = SQL("COPY {} ({}) FROM STDIN")
                with (
                    reading.copy(select.format(rows.columns, rows.relation, rows.condition), {}) as given,
                    writing.copy(into.format(names, rows.columns)) as taken,
                ):
                    for block in given:
                        taken.write(block)
        except psycopg.Error as error:
            where = [error.diag.message_primary, error.diag.message_detail, error.diag.context]
            return "; ".join(part.splitlines()[0] for part in where if part) or str(error)
    return None


def _expected(pair: Pair, replication: Replication) -> int:
    with reader(pair.source.endpoint) as source:
        return sum(Rows(source, shape(source, table)).estimate() for table in replication.tables)


def _copied(pair: Pair, found: Subscription) -> int:
    """Rows that the workers have read so far, and those of tables that are through."""
    sql = files(__package__).joinpath("copied.sql").read_text(encoding="utf-8")
    row = pair.target.connection.execute(sql, {"oid": found.oid}).fetchone()
    return int(row[0]) if row else 0


def _why(pair: Pair, replication: Replication) -> str:
    """What the copy waits for, as far as it can be told."""
    errors = [
        f.message for f in findings(replication, read_state(pair, replication)) if f.name != "table-copying"
    ]
    return "; ".join([*errors[:1], *_open_transactions(pair)])


def _open_transactions(pair: Pair) -> Iterator[str]:
    """A copy begins with a slot of its own, which waits for open transactions of the source like any other."""
    senders = pair.source.connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'"
        " AND datname = current_database()"
    ).fetchall()
    for (pid,) in senders:
        yield from (f"the copy waits for {open_}" for open_ in waited_for(pair.source.connection, pid))


def _stuck(pair: Pair, replication: Replication) -> NovaopsError:
    found = [f for f in findings(replication, read_state(pair, replication)) if f.name != "table-copying"]
    waiting = list(_open_transactions(pair))
    return NovaopsError(
        f"nothing has moved for {STUCK.total_seconds():.0f} s while the tables were copied",
        detail="\n".join([*(f.message for f in found), *waiting]) or None,
        hint=next(
            (f.remedy for f in found if f.remedy), "the log of the target's server may have the reason"
        ),
    )
