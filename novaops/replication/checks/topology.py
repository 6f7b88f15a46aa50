"""Other replications: rows that would come back, names that are taken, and what earlier ones have left."""

from __future__ import annotations

from collections.abc import Iterator

from novaops.db.identifiers import quote_literal
from novaops.invocation import command_line
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Scene
from novaops.replication.facts.slot import Slot
from novaops.replication.reach import connection
from novaops.sizes import format_size

PLUGIN = "pgoutput"
"""The output plugin of logical replication (documentation, "Logical Replication", "Architecture")."""
KNOWN_SLOTS = "SELECT subslotname::text FROM pg_catalog.pg_subscription WHERE subslotname IS NOT NULL"
ORPHAN_ORIGINS = """
SELECT o.roname
FROM pg_catalog.pg_replication_origin o
WHERE o.roname ~ '^pg_[0-9]+(_[0-9]+)?$'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription s WHERE s.oid::text = split_part(o.roname, '_', 2))
ORDER BY o.roname
"""


@check(
    "reverse-publication",
    "error",
    "replicated rows do not come back to the source",
    'declare direction = "both", which keeps them apart, or drop the other subscription',
)
def reverse_publication(scene: Scene) -> Iterator[Problem]:
    """The source subscribes to a slot of the target's database, and the target publishes the table."""
    if scene.replication.direction == "both":
        return
    back = {slot.name for slot in scene.target.slots.values() if slot.database == scene.target.database}
    for both in scene.tables():
        if both.source is None or both.target is None or both.target.oid not in scene.target.published:
            continue
        for subscription in scene.source.subscriptions.values():
            relations = {relation.oid for relation in subscription.relations}
            if subscription.slot in back and both.source.oid in relations:
                publications = ", ".join(scene.target.published[both.target.oid])
                yield Problem(
                    f"{both.declared} is replicated from the target to the source already, by subscription "
                    f"{subscription.name} from publication {publications}",
                    "each row would come back, and stop a worker at its key, or go round for ever",
                )


@check(
    "subscribed-already",
    "error",
    "no other subscription fills the tables of the target",
    "drop the other subscription, or replicate to another target",
)
def subscribed_already(scene: Scene) -> Iterator[Problem]:
    for both in scene.tables():
        for subscription in scene.target.subscriptions.values():
            if subscription.name == scene.replication.subscription or both.target is None:
                continue
            if both.target.oid in {relation.oid for relation in subscription.relations}:
                yield Problem(
                    f"subscription {subscription.name} fills {both.declared} on the target already",
                    "every row would come twice",
                )


@check(
    "subscription-name",
    "error",
    "the name of the subscription is free, or has this replication",
    'name another with subscription = "…" in [[replication]]',
)
def subscription_name(scene: Scene) -> Iterator[Problem]:
    subscription = scene.subscription
    if subscription is not None and subscription.publications != (scene.replication.publication,):
        yield Problem(
            f"subscription {subscription.name} of {scene.target.side} subscribes to "
            f"{', '.join(subscription.publications)}, not to {scene.replication.publication}"
        )


@check(
    "connection",
    "note",
    "the subscription reaches the source as declared, and holds no password",
    lambda replication: f"{command_line('replicate', *replication.options)} alters the subscription",
)
def subscription_connection(scene: Scene) -> Iterator[Problem]:
    """Names of keywords alone are shown: what they stand for may be a secret."""
    if scene.subscription is None:
        return
    name = scene.subscription.name
    found = connection(scene.target.connection, name)
    if found is None:
        yield Problem(
            f"how {name} reaches the source is not known: {scene.target.side.identity.user} may not read it",
            "it is shown to superusers alone (pg_subscription.subconninfo)",
            "run it as a superuser to see whether it is as declared",
        )
        return
    if changed := found.differing(scene.replication):
        yield Problem(f"{name} reaches the source otherwise than declared: {', '.join(changed)}")
    if found.holds_secret:
        yield Problem(
            f"the connection string of {name} holds a password",
            "superusers of the target and every dump of it have it",
            f"ALTER SUBSCRIPTION {name} CONNECTION '…' with a passfile or service that the server may read",
            "warning",
        )


@check(
    "slot-name",
    "error",
    "the name of the slot is free on the source's server, or has this replication",
    'name another with slot = "…" in [[replication]]',
)
def slot_name(scene: Scene) -> Iterator[Problem]:
    slot = scene.slot
    if slot is None:
        return
    if slot.database != scene.source.database or slot.plugin != PLUGIN:
        whose = (
            f"of database {slot.database}" if slot.plugin == PLUGIN else f"with {slot.plugin or 'no plugin'}"
        )
        yield Problem(
            f"the slot {slot.name} of {scene.source.side} is another one ({whose})",
            "names of slots are unique on a server, whatever the database",
        )
    elif scene.subscription is None and slot.active_pid is not None:
        yield Problem(
            f"the slot {slot.name} of {scene.source.side} is in use by another subscriber (pid {slot.active_pid})",
            "the target has no such subscription",
        )


@check(
    "orphan-slot",
    "warning",
    "no slot of an earlier set-up is left over",
    "SELECT pg_drop_replication_slot('…')",
)
def orphan_slot(scene: Scene) -> Iterator[Problem]:
    known = {row[0] for row in scene.source.connection.execute(KNOWN_SLOTS).fetchall()}
    known |= {s.slot for s in scene.target.subscriptions.values() if s.slot}
    for slot in scene.source.slots.values():
        if (
            slot.database != scene.source.database
            or slot.plugin != PLUGIN
            or slot.active_pid
            or slot.temporary
        ):
            continue
        if slot.name not in known:
            yield Problem(
                f"nobody reads the slot {slot.name} of {scene.source.side}, which keeps back "
                f"{format_size(slot.retained or 0)} of WAL",
                "no subscription of either server names it; one elsewhere may",
                _drop(slot) if slot.name == scene.replication.slot else _readers(slot),
            )


def _readers(slot: Slot) -> str:
    """Return how to find a subscription on another server: one that is disabled needs its slot too."""
    return (
        "on each server that may read from it, as one that is disabled still needs its slot: "
        f"SELECT subname, subenabled FROM pg_subscription WHERE subslotname = {quote_literal(slot.name)}"
    )


@check(
    "orphan-origin",
    "note",
    "no replication origin of an earlier subscription is left over",
    "SELECT pg_replication_origin_drop('…')",
)
def orphan_origin(scene: Scene) -> Iterator[Problem]:
    for (name,) in scene.target.connection.execute(ORPHAN_ORIGINS).fetchall():
        yield Problem(
            f"the replication origin {name} of {scene.target.side} belongs to no subscription",
            None,
            f"SELECT pg_replication_origin_drop('{name}')",
        )


@check(
    "slot-lost",
    "error",
    "the slot still has the WAL that it needs",
    lambda replication: command_line("replicate rebuild", *replication.options),
)
def slot_lost(scene: Scene) -> Iterator[Problem]:
    slot, subscription = scene.slot, scene.subscription
    if subscription is not None and slot is None and subscription.slot is not None:
        yield Problem(
            f"the slot {subscription.slot} of subscription {subscription.name} is gone from {scene.source.side}",
            "rows that were written since are not replicated",
        )
    elif slot is not None and slot.lost:
        yield Problem(
            f"the slot {slot.name} of {scene.source.side} is lost: WAL that it needs was removed",
            slot.invalidation_reason and f"reason: {slot.invalidation_reason}",
            None if subscription else _drop(slot),
        )


def _drop(slot: Slot) -> str:
    return f"SELECT pg_drop_replication_slot('{slot.name}')"


CHECKS = (
    reverse_publication,
    subscribed_already,
    subscription_name,
    subscription_connection,
    slot_name,
    slot_lost,
    orphan_slot,
    orphan_origin,
)
