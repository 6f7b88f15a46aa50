"""What both servers say about a replication at one moment: publication, slot, subscription, workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from psycopg import errors

from novaops.replication.declaration import Replication
from novaops.replication.facts import (
    Publication,
    Relation,
    Server,
    Slot,
    Subscription,
    publication,
    server,
    slots,
    subscriptions,
)
from novaops.replication.pair import Pair

READY = "r"
# pg_subscription_rel.srsubstate (documentation, "pg_subscription_rel").
STATES: Mapping[str, str] = {
    "i": "not begun",
    "d": "being copied",
    "f": "copied",
    "s": "catching up",
    "r": "ready",
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that a worker of the subscription waits for."""

    worker: int
    pid: int
    user: str
    application: str
    state: str
    seconds: float
    """How long its transaction has run."""
    waiting_for: str
    """The relation, or the kind of lock."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything at one moment. What is not there is None."""

    publication: Publication | None
    slot: Slot | None
    subscription: Subscription | None
    server: Server
    """The target's."""
    blockers: tuple[Blocker, ...] = ()
    silent: float | None = None
    """Seconds since the source was last heard."""
    origin_lsn: str | None = None
    """The end of the last transaction of the source that was applied."""
    replay_lag: float | None = None
    """Seconds, as the walsender measures them; None while nothing is under way."""

    @property
    def lag_bytes(self) -> int | None:
        """WAL of the source that the target has not confirmed."""
        return None if self.slot is None or self.slot.behind is None else max(self.slot.behind, 0)

    @property
    def lag_seconds(self) -> float | None:
        return 0.0 if self.lag_bytes == 0 else self.replay_lag


@cache
def query(name: str) -> str:
    """The text of a .sql file beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def read_state(pair: Pair, replication: Replication) -> State:
    """Ask both servers."""
    source, target = pair.source.connection, pair.target.connection
    found = subscriptions(target).get(replication.subscription)
    state = State(
        publication(source, replication.publication),
        slots(source).get(replication.slot),
        found,
        server(target),
    )
    lag = source.execute(query("progress.sql"), {"slot": replication.slot}).fetchone()
    if found is None:
        return state
    blockers = target.execute(query("blockers.sql"), {"oid": found.oid}).fetchall()
    try:
        origin = target.execute(query("origin.sql"), {"oid": found.oid}).fetchone() or (None, None)
    except errors.InsufficientPrivilege:  # replication origins are for superusers, unless granted
        origin = (None, None)
    return State(
        state.publication,
        state.slot,
        found,
        state.server,
        tuple(Blocker(*row) for row in blockers),
        silent=origin[1],
        origin_lsn=origin[0],
        replay_lag=lag[0] if lag else None,
    )


def waiting(state: State) -> tuple[Relation, ...]:
    """The tables whose copy is not over."""
    found = state.subscription
    return tuple(r for r in found.relations if r.state != READY) if found else ()


def as_found(pair: Pair, replication: Replication) -> Replication:
    """The replication with the slot that its subscription uses, should that have been made by hand under another name."""
    found = subscriptions(pair.target.connection).get(replication.subscription)
    if found is None or found.slot in (None, replication.slot):
        return replication
    return replace(replication, names={**replication.names, "slot": str(found.slot)})
