"""Both sides as the checks see them, read once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.replication import facts
from novaops.replication.checks.locked import patient
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts.table import Name
from novaops.replication.pair import Pair, Side


@dataclass(frozen=True, slots=True)
class SideFacts:
    """The catalogs of one side, as far as they concern the replication."""

    side: Side
    server: facts.Server
    tables: Mapping[Name, facts.Table]
    columns: Mapping[Name, Mapping[str, facts.Column]]
    triggers: tuple[facts.Trigger, ...]
    publications: Mapping[str, facts.Publication]
    published: Mapping[int, tuple[str, ...]]
    """By the oid of a table, the publications that publish it."""
    slots: Mapping[str, facts.Slot]
    subscriptions: Mapping[str, facts.Subscription]

    @classmethod
    def of(cls, side: Side, tables: tuple[ReplicatedTable, ...]) -> SideFacts:
        connection = side.connection
        found = facts.tables(connection, tables)
        return cls(
            side,
            facts.server(connection),
            found,
            facts.columns(connection, tables),
            facts.triggers(connection, tables),
            facts.publications(connection),
            facts.publishing(connection, [table.oid for table in found.values()]),
            facts.slots(connection),
            facts.subscriptions(connection),
        )

    @property
    def connection(self) -> psycopg.Connection[Any]:
        return self.side.connection

    @property
    def database(self) -> str:
        return self.side.identity.database

    @property
    def major(self) -> int:
        return self.side.identity.major


@dataclass(frozen=True, slots=True)
class Both:
    """A replicated table on both sides; None where there is none."""

    declared: ReplicatedTable
    source: facts.Table | None
    target: facts.Table | None
    source_columns: Mapping[str, facts.Column]
    target_columns: Mapping[str, facts.Column]

    @property
    def replicated(self) -> Mapping[str, facts.Column]:
        """The columns of the source that are to be replicated; generated ones never are, unless asked for."""
        names = self.declared.columns
        return {
            name: column
            for name, column in self.source_columns.items()
            if (name in names if names is not None else not column.generated)
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """A replication, and what is there of it already."""

    replication: Replication
    pair: Pair
    source: SideFacts
    target: SideFacts
    allow: frozenset[str] = frozenset()
    """Consents that were given."""

    @classmethod
    def of(cls, pair: Pair, replication: Replication, allow: Collection[str] = ()) -> Scene:
        """Read both sides; raises `NovaopsError` when a table is locked."""
        tables = replication.tables
        with patient(pair):
            return cls(
                replication,
                pair,
                SideFacts.of(pair.source, tables),
                SideFacts.of(pair.target, tables),
                frozenset(allow),
            )

    @property
    def subscription(self) -> facts.Subscription | None:
        return self.target.subscriptions.get(self.replication.subscription)

    @property
    def publication(self) -> facts.Publication | None:
        return self.source.publications.get(self.replication.publication)

    @property
    def slot(self) -> facts.Slot | None:
        """The slot on the source's server: the one the subscription names, or the one it would."""
        subscription = self.subscription
        return self.source.slots.get((subscription and subscription.slot) or self.replication.slot)

    @property
    def role(self) -> str | None:
        """The role that the subscription logs in with on the source; None where a service file of the server says."""
        server = self.replication.server_conninfo
        if given := self.replication.role or server.get("user"):
            return given
        return None if "service" in server else self.source.side.identity.user

    def tables(self) -> Iterator[Both]:
        """The declared tables, on both sides."""
        source, target = self.source, self.target
        for table in self.replication.tables:
            key = (table.schema, table.name)
            yield Both(
                table,
                source.tables.get(key),
                target.tables.get(key),
                source.columns.get(key, {}),
                target.columns.get(key, {}),
            )
