"""Whether a replication is healthy, and in plain sentences what is not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from novaops.db.identifiers import quote_ident, quote_literal
from novaops.durations import in_words
from novaops.invocation import command_line
from novaops.replication.declaration import Replication
from novaops.replication.facts import Relation, Subscription
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair
from novaops.replication.proof.state import STATES, Blocker, State, read_state, waiting
from novaops.sizes import format_size

SAMPLES = 3
PAUSE = timedelta(seconds=0.2)
FAR_BEHIND = 64 * 1024 * 1024
"""Bytes of lag that are worth a word."""
SILENT = 60.0
"""Seconds without a word from the source; it sends a sign of life every wal_sender_timeout / 2."""


def health(
    pair: Pair, replication: Replication, samples: int = SAMPLES, pause: timedelta = PAUSE
) -> tuple[State, tuple[Finding, ...]]:
    """The last of some samples, and everything that is wrong in it or has moved between them."""
    seen = [read_state(pair, replication)]
    for _ in range(samples - 1):
        time.sleep(pause.total_seconds())
        seen.append(read_state(pair, replication))
    return seen[-1], (*findings(replication, seen[-1]), *_unstable(replication, seen))


def findings(replication: Replication, state: State) -> Iterator[Finding]:
    """What one look shows."""
    again = command_line("replicate", *replication.options)
    if state.subscription is None:
        yield Finding(
            "subscription-missing",
            "error",
            f"{replication.target.database} has no subscription {replication.subscription}: nothing arrives",
            remedy=again,
        )
    if state.publication is None:
        yield Finding(
            "publication-missing",
            "error",
            f"{replication.source.database} has no publication {replication.publication}: nothing is sent",
            "a slot that is older than its publication cannot be decoded, so both are made anew",
            command_line("replicate rebuild", *replication.options) if state.subscription else again,
        )
    else:
        yield from _unpublished(replication, state, again)
    yield from _slot(replication, state)
    if state.subscription is not None:
        yield from _subscription(replication, state, state.subscription)


def _unpublished(replication: Replication, state: State, again: str) -> Iterator[Finding]:
    publication = state.publication
    if publication is None or publication.all_tables:
        return
    sent = {(p.schema, p.name) for p in publication.tables}
    copied = {(r.schema, r.name) for r in state.subscription.relations} if state.subscription else set()
    for table in replication.tables:
        key = (table.schema, table.name)
        if key not in sent and table.schema not in publication.schemas:
            yield Finding(
                "table-unpublished",
                "error",
                f"{table} is not in the publication {replication.publication}: its changes are not sent",
                remedy=again,
            )
        elif state.subscription is not None and key not in copied:
            yield Finding(
                "table-unsubscribed",
                "error",
                f"the subscription {replication.subscription} does not know {table} yet: its changes are dropped",
                remedy=again,
            )


def _slot(replication: Replication, state: State) -> Iterator[Finding]:
    slot, rebuild = state.slot, command_line("replicate rebuild", *replication.options)
    if slot is None:
        if state.subscription is not None:
            yield Finding(
                "slot-missing",
                "error",
                f"the slot {replication.slot} is not on {replication.source}: what was written since is not sent",
                remedy=rebuild,
            )
        return
    if slot.lost:
        yield Finding(
            "slot-lost",
            "error",
            f"the slot {replication.slot} is lost: {replication.source} has removed WAL that it still needed",
            "it kept more than max_slot_wal_keep_size allows, while the subscriber did not come on",
            rebuild,
        )
        return
    if slot.wal_status == "unreserved":
        yield Finding(
            "slot-unreserved",
            "error",
            f"the slot {replication.slot} is about to be lost: it keeps {_size(slot.retained)} of WAL, "
            "more than max_slot_wal_keep_size",
            remedy="let the subscriber come on, or raise max_slot_wal_keep_size and reload",
        )
    if state.subscription is None:
        yield Finding(
            "slot-orphan",
            "error",
            f"the slot {replication.slot} has no subscription and keeps {_size(slot.retained)} of WAL, "
            "which grows until the disk is full",
            remedy=f"{command_line('replicate', *replication.options)}, or on {replication.source}: "
            f"SELECT pg_drop_replication_slot({quote_literal(replication.slot)})",
        )
    elif slot.active_pid is None and state.subscription.enabled and state.subscription.apply_worker:
        yield Finding(
            "slot-inactive",
            "error",
            f"nobody reads the slot {replication.slot}; it keeps {_size(slot.retained)} of WAL",
            remedy=command_line("replicate", *replication.options),
        )


def _subscription(replication: Replication, state: State, found: Subscription) -> Iterator[Finding]:
    name = replication.subscription
    worker = found.apply_worker
    if not found.enabled:
        yield _disabled(replication, state, found)
    elif worker is None:
        yield _no_worker(replication, state)
    for pid in dict.fromkeys(b.pid for b in state.blockers):
        yield stalled(next(b for b in state.blockers if b.pid == pid), found)
    unready = waiting(state)
    if found.enabled and worker is not None:
        yield from (_copying(replication, state, relation) for relation in unready)
    if found.sync_errors and unready and found.enabled:
        yield Finding(
            "copy-fails",
            "error",
            f"the copy for {name} has failed {found.sync_errors} times; the server's log has the reason",
            remedy=command_line("replicate", "--check", *replication.options),
        )
    if worker is not None and state.silent is not None and state.silent > SILENT:
        yield Finding(
            "source-silent",
            "warning",
            f"{name} has heard nothing of {replication.source} for {_time(state.silent)}",
            remedy=f"is the source reachable from the target's server? pg_stat_subscription there, "
            f"pg_stat_replication on {replication.source}",
        )
    if (state.lag_bytes or 0) > FAR_BEHIND and found.enabled:
        yield Finding(
            "far-behind",
            "warning",
            f"{name} is {_size(state.lag_bytes)} behind",
            remedy=command_line("replicate status", "--watch", *replication.options),
        )


def _copying(replication: Replication, state: State, relation: Relation) -> Finding:
    table = f"{relation.schema}.{relation.name}".removeprefix("public.")
    subscription = state.subscription
    workers = subscription.workers if subscription else ()
    if relation.state != "s" and not any(w.relation == relation.oid for w in workers):
        return _not_copied(replication, state, table, relation.state)
    return Finding(
        "table-copying",
        "warning",
        f"{table} is {STATES.get(relation.state, relation.state)} (state {relation.state}): "
        "its rows are not all there yet",
        remedy=command_line("replicate status", "--watch", *replication.options),
    )


def _disabled(replication: Replication, state: State, found: Subscription) -> Finding:
    name = quote_ident(replication.subscription)
    keeps = f"; its slot keeps {_size(state.slot.retained)} of WAL" if state.slot else ""
    if found.sync_errors and not found.ready:
        return Finding(
            "disabled-by-error",
            "error",
            f"the subscription {name} is disabled, and its copy has failed {found.sync_errors} times{keeps}",
            "it disables itself at an error (disable_on_error); the log of the target's server has the error",
            f"remove the cause, then {command_line('replicate', *replication.options)}",
        )
    return Finding(
        "disabled",
        "error",
        f"the subscription {name} is disabled: nothing arrives{keeps}",
        remedy=command_line("replicate", *replication.options),
    )


def _no_worker(replication: Replication, state: State) -> Finding:
    server, to = state.server, replication.target.database
    if server.logical_workers >= server.max_logical_workers:
        return Finding(
            "workers-exhausted",
            "error",
            f"the subscription {replication.subscription} has no worker: all {server.max_logical_workers} of "
            "max_logical_replication_workers are in use",
            remedy=f"raise max_logical_replication_workers on the server of {to} and restart it",
        )
    return Finding(
        "no-worker",
        "error",
        f"the subscription {replication.subscription} is enabled and has no worker at the moment",
        f"{server.logical_workers} of {server.max_logical_workers} workers for logical replication are in use, "
        f"max_worker_processes is {server.max_worker_processes}; a worker that fails is started again after 5 s "
        "(wal_retrieve_retry_interval), and the server's log says why it failed",
        command_line("replicate", "--check", *replication.options),
    )


def _not_copied(replication: Replication, state: State, table: str, copy_state: str) -> Finding:
    server = state.server
    if server.logical_workers >= server.max_logical_workers:
        return Finding(
            "workers-exhausted",
            "error",
            f"{table} waits to be copied (state {copy_state}): all {server.max_logical_workers} of "
            "max_logical_replication_workers are in use",
            remedy=f"raise max_logical_replication_workers on the server of {replication.target.database} "
            "and restart it",
        )
    return Finding(
        "table-not-copied",
        "warning",
        f"{table} waits to be copied (state {copy_state}), and no worker copies it",
        f"{server.logical_workers} of {server.max_logical_workers} workers for logical replication are in use, at most "
        f"{server.max_sync_workers} copy for one subscription, and max_worker_processes is {server.max_worker_processes}",
        command_line("replicate status", "--watch", *replication.options),
    )


def stalled(blocker: Blocker, found: Subscription) -> Finding:
    """A worker that waits for a lock, and who has it."""
    who = ", ".join(filter(None, [blocker.user, blocker.application, blocker.state]))
    role = (
        "apply worker"
        if found.apply_worker and blocker.worker == found.apply_worker.pid
        else "copying worker"
    )
    return Finding(
        "stalled",
        "error",
        f"pid {blocker.pid} ({who}) holds a lock on {blocker.waiting_for} for {_time(blocker.seconds)}",
        f"the {role}, pid {blocker.worker}, waits for it",
        f"end that transaction, or on the target: SELECT pg_terminate_backend({blocker.pid})",
    )


def _unstable(replication: Replication, seen: Sequence[State]) -> Iterator[Finding]:
    subscriptions = [s.subscription for s in seen if s.subscription is not None]
    if not subscriptions:
        return
    pids = [s.apply_worker.pid if s.apply_worker else None for s in subscriptions]
    errors = [s.apply_errors + s.sync_errors for s in subscriptions]
    if len(set(pids)) > 1 or errors[-1] > errors[0]:
        shown = ", ".join("none" if pid is None else str(pid) for pid in dict.fromkeys(pids))
        yield Finding(
            "worker-restarts",
            "error",
            f"the worker of {replication.subscription} does not stay: pids {shown}, "
            f"{errors[-1] - errors[0]} errors in {len(seen)} looks",
            "it fails and is started again; the log of the target's server has the error",
            command_line("replicate", "--check", *replication.options),
        )


def healthy(found: Sequence[Finding]) -> bool:
    """Whether nothing is worse than a note."""
    return all(finding.severity == "note" for finding in found)


def _size(size: int | None) -> str:
    return "an unknown amount" if size is None else format_size(size)


def _time(seconds: float) -> str:
    return in_words(timedelta(seconds=seconds))
