"""Notifications held back while history is copied, and one that says so afterwards.

The initial copy fires triggers in the modes ALWAYS and REPLICA: one notification for every row of the past.
So triggers that notify are disabled until the rows are there. In the transaction that gives them their modes
again a single `resync` notification is sent: its lock comes after every row that was applied without being
heard of, and before every row that will be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from novaops.errors import NovaopsError
from novaops.replication.declaration import Replication, TriggerMode
from novaops.replication.facts import Trigger
from novaops.replication.pair import bound_lock_waits
from novaops.replication.proof.sentinel import notified
from novaops.replication.trigger_modes import Change, Standing, standings, statement

TRIES = 10


def floods(standing: Standing) -> bool:
    """Whether the trigger would notify of every row that is copied, as it stands or as it is declared."""
    trigger = standing.trigger
    fires = trigger.fires_for_replicated_rows or standing.declared in ("always", "replica")
    return trigger.notifies and fires and "insert" in trigger.operations


def during_copy(target: psycopg.Connection[Any], replication: Replication) -> list[Change]:
    """The modes that the copy needs: what notifies is disabled, everything else is as declared."""
    wanted: list[Change] = []
    for standing in standings(target, replication.tables):
        mode: TriggerMode = standing.declared or standing.trigger.mode
        mode = "disabled" if floods(standing) else mode
        if standing.trigger.mode != mode:
            wanted.append(Change(standing.trigger, mode))
    return wanted


def afterwards(
    target: psycopg.Connection[Any], replication: Replication, former: Mapping[str, TriggerMode]
) -> list[Change]:
    """The modes that are declared, and for what was held without a declaration the `former` mode, by its key."""
    wanted: list[Change] = []
    for standing in standings(target, replication.tables):
        mode = standing.declared or former.get(key(standing.trigger), standing.trigger.mode)
        if standing.trigger.mode != mode:
            wanted.append(Change(standing.trigger, mode))
    return wanted


def key(trigger: Trigger) -> str:
    """The trigger of one table or partition, for the journal."""
    return json.dumps([trigger.schema, trigger.table, trigger.name])


def set_modes(target: psycopg.Connection[Any], changes: Sequence[Change], resync: bool) -> None:
    """Set modes in one transaction; with `resync`, tell listeners of what goes from disabled to enabled.

    Raises `NovaopsError` when a table stays locked.
    """
    if not changes:
        return
    for left in reversed(range(TRIES)):
        try:
            with target.transaction():
                bound_lock_waits(target)
                for change in changes:
                    target.execute(statement(change))
                if resync:
                    for channel, table in dict.fromkeys(_resynced(changes)):
                        payload = json.dumps({"resync": True, "table": table})
                        target.execute("SELECT pg_notify(%s, %s)", [channel, payload])
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            if not left:
                raise NovaopsError(
                    f"a table is locked: the modes of {', '.join(dict.fromkeys(map(_named, changes)))} were not set",
                    detail=error.diag.message_primary,
                    hint="see who holds it (pg_locks, pg_stat_activity), then run the same command again",
                ) from error
        else:
            return


def _named(change: Change) -> str:
    return f"{change.trigger.name} on {change.trigger.relation}"


def _resynced(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    for change in changes:
        trigger = change.trigger
        if trigger.mode == "disabled" and change.mode in ("always", "replica") and trigger.notifies:
            for channel in notified(trigger.source):
                yield channel, f"{trigger.root_schema}.{trigger.root}"
