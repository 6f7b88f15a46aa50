"""Open transactions: making a slot waits for every one that has written, in any database of the server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

from novaops.db.identifiers import quote_literal
from novaops.durations import in_words
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Scene

BRIEF = timedelta(seconds=1)
"""What is younger ends by itself before a slot is made."""
SHOWN = 60
TEXT = files(__package__).joinpath("transactions.sql").read_text()


@check(
    "open-transaction",
    "warning",
    "no open transaction keeps the slot from being made",
    "let it end, or SELECT pg_terminate_backend(…)",
)
def open_transaction(scene: Scene) -> Iterator[Problem]:
    if scene.slot is not None:
        return
    for pid, gid, database, user, state, age, query in scene.source.connection.execute(TEXT).fetchall():
        if age is not None and age < BRIEF:
            continue
        # pg_stat_activity hides the times of other roles' sessions, but not that they have written.
        since = (
            f"for {in_words(age)}" if age is not None else "since a time that takes pg_read_all_stats to see"
        )
        who = (
            f"pid {pid} ({user or 'another role'}, {state or 'state unknown'})"
            if pid
            else f"prepared transaction {gid}"
        )
        text = " ".join((query or "").split())
        yield Problem(
            f"{who} in {database} has had a transaction open {since}: the slot is made when it ends",
            f"it ran: {text[:SHOWN]}{'…' * (len(text) > SHOWN)}" if text else None,
            f"SELECT pg_terminate_backend({pid})"
            if pid
            else f"ROLLBACK PREPARED {quote_literal(gid)} in {database}",
        )


CHECKS = (open_transaction,)
