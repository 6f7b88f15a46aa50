"""A replication built anew where it cannot go on: a lost slot, a publication that was dropped, rows that differ.

Slot and subscription are made anew, and the rows are brought into line in place, key by key: readers never see an empty
table, and what refers to its rows stays. Cut off at any moment, the next call goes on.

After a lost slot rows differ because changes were lost, and mending them is the purpose. But a row that somebody has
written on the target looks the same. So both are shown before anything is dropped, and the table is named by who lets them go.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import timedelta

from novaops.db.advisory_lock import advisory_lock
from novaops.db.own_schema import ensure_own_schema
from novaops.errors import NovaopsError, RefusedError
from novaops.invocation import command_line
from novaops.planning.consents import with_reasons
from novaops.progress import Reporter, Silent
from novaops.replication.consent import check_losses
from novaops.replication.declaration import Replication
from novaops.replication.facts import slots, subscriptions
from novaops.replication.pair import Pair
from novaops.replication.proof.compare import compare
from novaops.replication.proof.rows import reader, shape
from novaops.replication.proof.state import as_found
from novaops.replication.proof.verify import verify
from novaops.replication.set_up import Done, Outcome, subscription
from novaops.replication.set_up.acts import hold
from novaops.replication.set_up.journal import RunJournal
from novaops.replication.set_up.run import LOCK, REBUILD, WAIT, judge, take
from novaops.replication.set_up.setting import Setting
from novaops.replication.set_up.slot import drop_slot
from novaops.replication.set_up.taken import Reconciling, SubscriptionMade

COMMAND = "replicate rebuild"


def rebuild(
    pair: Pair,
    replication: Replication,
    reporter: Reporter | None = None,
    *,
    wait: timedelta = WAIT,
    allow: Collection[str] | Mapping[str, str] = (),
) -> Outcome:
    """Build it anew, and prove that rows arrive.

    Nothing is undone when a step fails: the way leads forward. Raises `RefusedError` where rows of the target
    would be overwritten or deleted without consent, and `NovaopsError` for a table without a key.
    """
    told, begun = reporter or Silent(), time.monotonic()
    with reader(pair.source.endpoint) as source:
        keyless = [table for table in replication.tables if not shape(source, table).key]
    if keyless:
        raise NovaopsError(
            f"{keyless[0]} has no key by which its rows could be brought into line",
            hint=f"ALTER TABLE {keyless[0].qualified} ADD PRIMARY KEY (…) on both sides; or "
            f"{command_line('replicate teardown', *replication.options)}, empty the target's table, and "
            + command_line("replicate", *replication.options),
        )
    target, given = pair.target.connection, with_reasons(allow)
    with advisory_lock(target, lock=LOCK):
        ensure_own_schema(target)
        if replication.copy == "data":
            compared = compare(pair, replication, told, under_way=_streams(pair, replication))
            check_losses(replication, compared, given, COMMAND)
        journal = RunJournal.begin(target, replication, REBUILD, given)
        setting = Setting(pair, replication, journal, told, wait, given, COMMAND)
        for table in replication.tables if replication.copy == "data" else ():
            setting.taking(Reconciling(table.qualified))
        with told.phase("holding notifications back"):
            held = hold(setting)
        with told.phase(f"dropping {replication.subscription}"):
            dropped = _drop_old(setting)
        try:
            done = [*([Done("hold", held)] if held else []), *dropped, *take(setting)]
            proof = verify(pair, replication, told)
            judge(proof)
        except RefusedError:
            raise
        except NovaopsError as error:
            hint = f"{command_line('replicate rebuild', *replication.options)} goes on from here"
            raise NovaopsError(
                error.message, detail=error.detail, hint="; then ".join(filter(None, [error.hint, hint]))
            ) from error
        journal.end("done")
    return Outcome(replication, tuple(done), proof, proof.findings, time.monotonic() - begun)


def _streams(pair: Pair, replication: Replication) -> bool:
    """Whether rows still arrive: otherwise a barrier would be waited for in vain."""
    slot = slots(pair.source.connection).get(as_found(pair, replication).slot)
    return slot is not None and slot.active_pid is not None and not slot.lost


def _drop_old(setting: Setting) -> list[Done]:
    """Drop what was there before this run, and not what the run has made before it was cut off."""
    pair, replication = setting.pair, setting.replication
    if setting.has_taken(SubscriptionMade, replication.subscription):
        return []
    found = subscriptions(pair.target.connection).get(replication.subscription)
    old = {as_found(pair, replication).slot, replication.slot} if found else {replication.slot}
    done = []
    if found is not None:
        subscription.drop(pair.target.connection, replication.subscription)
        done.append(Done("subscription", f"dropped {replication.subscription}"))
    for name in old & set(slots(pair.source.connection)):
        drop_slot(pair.source.connection, name)
        done.append(Done("slot", f"dropped {name}"))
    return done
