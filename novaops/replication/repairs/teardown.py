"""A replication taken down in the right order, whether its source is there or not; what remains is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.db.advisory_lock import advisory_lock
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.errors import NovaopsError
from novaops.progress import Reporter, Silent
from novaops.replication.declaration import Replication
from novaops.replication.facts import publication, slots, subscriptions
from novaops.replication.pair import Side, open_side
from novaops.replication.set_up import subscription
from novaops.replication.set_up.read_only import listed, release, shown
from novaops.replication.set_up.run import LOCK
from novaops.replication.set_up.slot import drop_slot

PATIENCE = 10.0
"""Seconds that a worker has to end."""


@dataclass(slots=True)
class TornDown:
    """What was taken away, in order, and what is still there, with the reason or the command."""

    replication: Replication
    done: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    """Rights that a read-only replica had lost."""
    left: list[str] = field(default_factory=list)


def teardown(replication: Replication, reporter: Reporter | None = None) -> TornDown:
    """Take it down; rows, tables and modes of triggers stay. A second call finds nothing to do."""
    told, result = reporter or Silent(), TornDown(replication)
    with open_side(replication.target) as target, advisory_lock(target.connection, lock=LOCK):
        found = subscriptions(target.connection).get(replication.subscription)
        slot = (found.slot if found else None) or replication.slot
        if found is not None:
            with told.phase(f"dropping {found.name}"):
                subscription.alter(target.connection, found.name, "DISABLE")
                _wait_for_worker(target, found.name)
                # Detached first: the slot is dropped on the source itself, which may be this very server, or gone.
                subscription.drop(target.connection, found.name)
            result.done.append(f"subscription {found.name} of {target}")
        _guard(target, replication, result)
        with told.phase(f"cleaning up on {replication.source}"):
            _source(replication, slot, found.oid if found else None, result)
    if replication.role:
        result.left.append(
            f"role {replication.role} on {replication.source}: DROP OWNED BY {quote_ident(replication.role)}; DROP ROLE {quote_ident(replication.role)}"
        )
    return result


def _wait_for_worker(target: Side, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = subscriptions(target.connection).get(name)
        if found is None or not found.workers:
            return
        time.sleep(0.05)


def _guard(target: Side, replication: Replication, result: TornDown) -> None:
    released = release(target.connection, replication)
    result.done += [f"read-only guard of {shown([place])}" for place in released.places]
    if released.given:
        result.given.append(listed(released.given))
    if released.lost:
        result.left.append(
            f"rights that cannot be given back, since a role or column is gone: {listed(released.lost)}"
        )


def _source(replication: Replication, slot: str, oid: int | None, result: TornDown) -> None:
    try:
        with open_side(replication.source) as source:
            for name in _ours(source, slot, oid):
                drop_slot(source.connection, name)
                result.done.append(f"slot {name} of {source}")
            _publication(source, replication, result)
    except (NovaopsError, psycopg.OperationalError) as error:
        why = error.message if isinstance(error, NovaopsError) else str(error).splitlines()[0]
        result.left.append(
            f"slot {slot} on {replication.source}, which is not reached ({why}); it keeps WAL there until the disk "
            f"is full: SELECT pg_drop_replication_slot({quote_literal(slot)})"
        )
        result.left.append(
            f"publication {replication.publication} there: DROP PUBLICATION {quote_ident(replication.publication)}"
        )


def _ours(source: Side, slot: str, oid: int | None) -> Iterator[str]:
    """The slot, and those of copies that were under way (`pg_<subscription>_sync_…`)."""
    for name, found in slots(source.connection).items():
        syncing = oid is not None and name.startswith(f"pg_{oid}_sync_")
        if found.database == source.identity.database and (name == slot or syncing):
            yield name


def _publication(source: Side, replication: Replication, result: TornDown) -> None:
    """Drop it, unless another slot of the database may decode with it: that one would break for good."""
    name = replication.publication
    if publication(source.connection, name) is None:
        return
    others = [
        slot
        for slot, found in slots(source.connection).items()
        if found.database == source.identity.database and found.plugin == "pgoutput"
    ]
    if others:
        result.left.append(
            f"publication {name} of {source}: the slots {', '.join(sorted(others))} may need it, "
            f"and would break without it; else: DROP PUBLICATION {quote_ident(name)}"
        )
        return
    source.connection.execute(SQL("DROP PUBLICATION {}").format(Identifier(name)))
    result.done.append(f"publication {name} of {source}")
