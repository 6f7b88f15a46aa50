"""Exactly what a run has made is undone, the last first."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.progress import Reporter
from novaops.replication.declaration import Replication
from novaops.replication.facts import subscriptions
from novaops.replication.pair import Pair
from novaops.replication.set_up import held, read_only, role, subscription
from novaops.replication.set_up.copied_rows import remove
from novaops.replication.set_up.journal import Made, RunJournal
from novaops.replication.set_up.slot import drop_slot
from novaops.replication.trigger_modes import Change, standings


def undo(pair: Pair, replication: Replication, journal: RunJournal, reporter: Reporter) -> list[str]:
    """Undo the run; returns what could not be undone, each with the reason."""
    left = []
    for made in reversed(list(journal.made)):
        try:
            _undo(pair, replication, made)
            journal.forget(made)
        except psycopg.Error as error:
            said = (error.diag.message_primary or str(error)).splitlines()[0]
            left.append(f"{made.kind} {made.name}: {said}")
    if not left:
        reporter.note("what this run had made is undone")
    return left


def _undo(pair: Pair, replication: Replication, made: Made) -> None:
    source, target = pair.source.connection, pair.target.connection
    match made.kind:
        case "subscription":
            if made.name in subscriptions(target):
                subscription.drop(target, made.name)
        case "slot":
            drop_slot(source, made.name)
        case "enabled":
            subscription.alter(target, made.name, "DISABLE")
        case "disable_on_error":
            subscription.alter(target, made.name, "SET (disable_on_error = false)")
        case "role":
            role.drop(source, replication, made.name)
        case "publication":
            source.execute(SQL("DROP PUBLICATION IF EXISTS {}").format(Identifier(made.name)))
        case "publication tables":
            for statement in made.before:
                source.execute(statement.encode())
        case "trigger mode":
            back = [
                Change(s.trigger, made.before[0])  # type: ignore[arg-type]
                for s in standings(target, replication.tables)
                if held.key(s.trigger) == made.name and s.trigger.mode != made.before[0]
            ]
            held.set_modes(target, back, resync=False)
        case "copied rows":
            remove(pair, next(t for t in replication.tables if t.qualified == made.name))
        case "object":
            target.execute(made.before[0].encode())
        case "sequence":
            (source if made.before[0] == "source" else target).execute(made.before[1].encode())
        case "guard":
            read_only.drop(target, (made.before[0], made.before[1]))
        case "refresh":
            subscription.alter(target, made.name, "REFRESH PUBLICATION WITH (copy_data = false)")
        case "reconciling":
            pass  # only says what was still to be done
        case _:
            raise AssertionError(made.kind)
