"""Subscriptions of the connected database (`pg_subscription`), their relations and workers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from novaops.replication.facts.queries import rows


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of a subscription (`pg_subscription_rel`)."""

    subscription: int
    oid: int
    schema: str
    name: str
    state: str
    """`i` initialize, `d` data is being copied, `f` finished copy, `s` synchronized, `r` ready."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A running worker of a subscription (`pg_stat_subscription`, `pg_stat_activity`)."""

    subscription: int
    pid: int
    relation: int | None
    """The table it copies; None for the apply worker."""
    started: datetime | None
    wait_event_type: str | None
    wait_event: str | None
    blocked_by: tuple[int, ...]
    """Who holds the lock it waits for (`pg_blocking_pids`)."""
    received_lsn: str | None
    latest_end_lsn: str | None
    last_message: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. Its connection string is not read: it may hold a password."""

    oid: int
    name: str
    owner: str
    owner_superuser: bool
    enabled: bool
    slot: str | None
    publications: tuple[str, ...]
    disable_on_error: bool
    origin: str | None
    """`any` or `none`; None before 16, where it is always `any`."""
    password_required: bool | None
    """None before 16."""
    run_as_owner: bool | None
    """Whether rows are written as the subscription's owner, and not as each table's; None before 16, where they always are."""
    apply_errors: int
    sync_errors: int
    relations: tuple[Relation, ...] = ()
    workers: tuple[Worker, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether every table is in step with the publisher."""
        return bool(self.relations) and all(relation.state == "r" for relation in self.relations)

    @property
    def apply_worker(self) -> Worker | None:
        return next((worker for worker in self.workers if worker.relation is None), None)


def subscriptions(connection: psycopg.Connection[Any]) -> dict[str, Subscription]:
    """The subscriptions of the connected database by name (`pg_subscription` is shared by all)."""
    relations = rows(connection, "subscription_relations", Relation)
    workers = rows(connection, "workers", Worker)
    return {
        s.name: replace(
            s,
            relations=tuple(r for r in relations if r.subscription == s.oid),
            workers=tuple(w for w in workers if w.subscription == s.oid),
        )
        for s in rows(connection, "subscriptions", Subscription)
    }
