"""The wait until everything that was sent has arrived; a worker that stops meanwhile ends it at once."""

from __future__ import annotations

import time
from datetime import timedelta

from novaops.errors import NovaopsError
from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.proof.health import health
from novaops.replication.repairs.failed import explained

LOOK = timedelta(seconds=3)
"""After how long it is looked why they do not arrive."""


def passed_within(pair: Pair, replication: Replication, limit: timedelta) -> None:
    """Wait until everything that was sent until now is applied; raises `NovaopsError` when the worker stops, or takes too long."""
    deadline = time.monotonic() + limit.total_seconds()
    while not barrier(pair, replication, LOOK).passed:
        state, seen = health(pair, replication, samples=1)
        found = explained(pair, replication, state, seen)
        why = next((f for f in found if f.severity == "error" and f.name != "stalled"), None)
        if why is None and time.monotonic() > deadline:
            why = next((f for f in found if f.severity == "error"), None)
        elif why is None:
            continue
        raise NovaopsError(
            f"what {replication.source.database} has sent does not arrive"
            + (f": {why.message}" if why else f" within {limit.total_seconds():.0f} s"),
            detail=why.detail if why else None,
            hint=why.remedy if why else None,
        )
