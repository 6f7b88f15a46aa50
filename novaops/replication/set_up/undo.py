"""Exactly what a run has made is undone, the last first."""

from __future__ import annotations

import psycopg

from novaops.errors import NovaopsError
from novaops.progress import Reporter
from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair
from novaops.replication.set_up import taken
from novaops.replication.set_up.journal import RunJournal


def undo(pair: Pair, replication: Replication, journal: RunJournal, reporter: Reporter) -> list[str]:
    """Undo the run; returns what could not be undone, each with the reason."""
    left = []
    for made in reversed(list(journal.made)):
        try:
            taken.read(made).undo(pair, replication)
            journal.forget(made)
        except psycopg.Error as error:
            said = (error.diag.message_primary or str(error)).splitlines()[0]
            left.append(f"{made.kind} {made.name}: {said}")
        except NovaopsError as error:
            left.append(f"{made.kind} {made.name}: {error.message}")
    if not left:
        reporter.note("what this run had made is undone")
    return left
