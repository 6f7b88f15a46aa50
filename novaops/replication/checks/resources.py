"""Settings, slots, senders, workers and origins: what runs out in silence."""

from __future__ import annotations

from collections.abc import Iterator

from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Scene, SideFacts
from novaops.sizes import format_size

RESTART = "then restart the server"


@check(
    "wal-level",
    "error",
    "the source writes to its WAL what logical decoding needs",
    f"ALTER SYSTEM SET wal_level = logical; {RESTART}",
)
def wal_level(scene: Scene) -> Iterator[Problem]:
    for facts in _publishers(scene):
        if facts.server.wal_level != "logical":
            waiting = "wal_level" in facts.server.pending_restart
            yield Problem(
                f"wal_level of {facts.side} is {facts.server.wal_level}",
                "it is changed already, and waits for a restart" if waiting else None,
                "restart the server" if waiting else None,
            )


@check("pending-restart", "note", "no setting waits for a restart", "restart the server when you can")
def pending_restart(scene: Scene) -> Iterator[Problem]:
    for facts in _servers(scene):
        relevant = [name for name in facts.server.pending_restart if name.startswith(("max_", "wal_"))]
        if relevant:
            yield Problem(f"{', '.join(relevant)} of {facts.side} will change with its next restart")


@check(
    "free-slots",
    "error",
    "the source's server has replication slots to spare",
    f"drop slots that nobody reads (pg_replication_slots), or raise max_replication_slots, {RESTART}",
)
def free_slots(scene: Scene) -> Iterator[Problem]:
    """One for the subscription, and for each table that is being copied one more."""
    if scene.slot is not None:
        return
    server = scene.source.server
    free = server.max_replication_slots - server.slots
    if free < 1:
        yield Problem(
            f"all {server.max_replication_slots} replication slots of {scene.source.side} are taken",
            ", ".join(sorted(scene.source.slots)),
        )
    elif free < 1 + _copies(scene):
        yield Problem(
            f"{free} replication slots of {scene.source.side} are free: tables are copied one after the other",
            severity="note",
        )


@check(
    "free-senders",
    "error",
    "the source's server has WAL senders to spare",
    f"end replication connections that are not needed (pg_stat_replication), or raise max_wal_senders, {RESTART}",
)
def free_senders(scene: Scene) -> Iterator[Problem]:
    subscription = scene.subscription
    server = scene.source.server
    if server.max_wal_senders - server.senders < 1 and not (subscription and subscription.apply_worker):
        yield Problem(f"all {server.max_wal_senders} WAL senders of {scene.source.side} are taken")


@check(
    "free-workers",
    "error",
    "the target's server has workers for the subscription",
    f"raise max_logical_replication_workers (and max_worker_processes, which must be higher), {RESTART}",
)
def free_workers(scene: Scene) -> Iterator[Problem]:
    """Without one a subscription waits in silence; every enabled one wants its own, all the time."""
    subscription = scene.subscription
    if subscription is not None and subscription.enabled and subscription.apply_worker:
        return
    server = scene.target.server
    others = server.enabled_subscriptions - bool(subscription and subscription.enabled)
    wanted = others + 1 + min(1, _copies(scene))
    # One of the processes is the launcher, which is among `other_workers`.
    processes = server.max_worker_processes - max(1, server.other_workers)
    limit, setting = min(
        (server.max_logical_workers, "max_logical_replication_workers"), (processes, "max_worker_processes")
    )
    if limit < others + 1:
        yield Problem(
            f"{scene.target.side} has no worker left for this subscription ({setting}: {limit} can be used)",
            f"{others} subscriptions of the server are enabled, and each takes one",
        )
    elif limit < wanted:
        yield Problem(
            f"{scene.target.side} has no worker left for the first copy ({setting}: {limit} can be used)",
            f"{others} subscriptions of the server are enabled; a table that is copied takes another worker",
        )


@check(
    "free-origins",
    "error",
    "the target's server has replication origins to spare",
    f"drop origins that are left over (pg_replication_origin), or raise max_replication_slots "
    f"(since 18 max_active_replication_origins), {RESTART}",
)
def free_origins(scene: Scene) -> Iterator[Problem]:
    server = scene.target.server
    if scene.subscription is None and len(server.origins) >= server.max_origins:
        yield Problem(f"all {server.max_origins} replication origins of {scene.target.side} are taken")


@check(
    "wal-cap",
    "note",
    "a subscriber that is away cannot fill the source's disk",
    "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf()",
)
def wal_cap(scene: Scene) -> Iterator[Problem]:
    server = scene.source.server
    if server.max_slot_wal_keep_size is None:
        permitted = scene.source.connection.execute(
            "SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE')"
        ).fetchone()
        size = None
        if permitted and permitted[0]:
            row = scene.source.connection.execute("SELECT sum(size)::bigint FROM pg_ls_waldir()").fetchone()
            size = row[0] if row else None
        yield Problem(
            f"the slots of {scene.source.side} keep back WAL without a limit (max_slot_wal_keep_size is -1)",
            f"its WAL has {format_size(size)} now; how much the disk holds a server does not tell"
            if size
            else None,
        )


def _copies(scene: Scene) -> int:
    """How many tables are copied at a time."""
    if scene.replication.copy == "none" or scene.subscription is not None:
        return 0
    return min(len(scene.replication.tables), scene.target.server.max_sync_workers)


def _publishers(scene: Scene) -> list[SideFacts]:
    return _servers(scene) if scene.replication.direction == "both" else [scene.source]


def _servers(scene: Scene) -> list[SideFacts]:
    return [scene.source] if scene.pair.same_server else [scene.source, scene.target]


CHECKS = (wal_level, pending_restart, free_slots, free_senders, free_workers, free_origins, wal_cap)
