"""What the catalogs of both sides say that concerns a replication. Nothing here changes anything."""

from novaops.replication.facts.publication import (
    Publication,
    PublishedTable,
    publication,
    publications,
    publishing,
)
from novaops.replication.facts.server import Server, server
from novaops.replication.facts.slot import Slot, slots
from novaops.replication.facts.subscription import Relation, Subscription, Worker, subscriptions
from novaops.replication.facts.table import Column, Table, columns, tables
from novaops.replication.facts.trigger import Trigger, triggers

__all__ = [
    "Column",
    "Publication",
    "PublishedTable",
    "Relation",
    "Server",
    "Slot",
    "Subscription",
    "Table",
    "Trigger",
    "Worker",
    "columns",
    "publication",
    "publications",
    "publishing",
    "server",
    "slots",
    "subscriptions",
    "tables",
    "triggers",
]
