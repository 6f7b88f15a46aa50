"""Rows of the target made those of the source, and who has agreed to what was lost by that, in the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from novaops.db.advisory_lock import advisory_lock
from novaops.planning.consents import with_reasons
from novaops.progress import Reporter
from novaops.replication.declaration import Replication
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import TableComparison, compare
from novaops.replication.proof.repair import repair_of
from novaops.replication.proof.state import as_found
from novaops.replication.set_up.journal import RunJournal
from novaops.replication.set_up.run import LOCK

REPAIR = "repair"
"""What the run in the journal is about. One that was cut off leaves nothing to go on with but its rows."""


def compare_rows(replication: Replication, reporter: Reporter | None = None) -> tuple[TableComparison, ...]:
    """Compare all rows, and change none."""
    with open_pair(replication) as pair:
        return compare(pair, as_found(pair, replication), reporter)


def repair_rows(
    replication: Replication,
    reporter: Reporter | None = None,
    *,
    allow: Collection[str] | Mapping[str, str] = (),
) -> tuple[TableComparison, ...]:
    """Copy rows that the target lacks; overwrite and delete rows of it in the tables of which `allow` says so."""
    given = with_reasons(allow)
    with open_pair(replication) as pair, advisory_lock(pair.target.connection, lock=LOCK):
        journal = RunJournal.begin(pair.target.connection, replication, REPAIR, given)
        try:
            known, how = as_found(pair, replication), repair_of(replication, given)
            compared = compare(pair, known, reporter, repair=how)
        except Exception as error:
            journal.end("failed", str(error))
            raise
        journal.end("done")
    return compared
