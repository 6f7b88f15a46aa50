"""What all steps of a set-up work with, and what several of them ask of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from novaops.progress import Reporter
from novaops.replication.declaration import ReplicatedTable, Replication, TriggerMode
from novaops.replication.facts import Subscription, subscriptions
from novaops.replication.pair import Pair
from novaops.replication.set_up import held
from novaops.replication.set_up.copied_rows import is_empty
from novaops.replication.set_up.journal import RunJournal
from novaops.replication.set_up.taken import ModeSet, Reconciling, Taken, entry, of_kind
from novaops.replication.trigger_modes import Change, due


@dataclass(slots=True)
class Setting:
    """What all steps work with. Without a journal they can only be listed."""

    pair: Pair
    replication: Replication
    journal: RunJournal | None
    reporter: Reporter
    wait: timedelta
    allow: Collection[str] = ()
    """Consents to the loss of rows of the target."""
    command: str = "replicate"
    """What goes on where one is missing."""

    @property
    def log(self) -> RunJournal:
        assert self.journal is not None  # noqa: S101
        return self.journal

    def taking(self, step: Taken) -> None:
        """It is written down before it is taken. What is known already keeps the state that was there first."""
        made = entry(step)
        self.log.making(made.kind, made.name, *made.before)

    def has_taken(self, kind: type[Taken], name: str) -> bool:
        return self.journal is not None and self.journal.has_made(kind.kind, name)

    def subscription(self) -> Subscription | None:
        return subscriptions(self.pair.target.connection).get(self.replication.subscription)


def filled(setting: Setting, lacking: Collection[ReplicatedTable] = ()) -> Iterator[ReplicatedTable]:
    """The tables that are still to be subscribed to, and have rows already."""
    known = relations(setting.subscription())
    for table in setting.replication.tables:
        if (
            (table.schema, table.name) not in known
            and table not in lacking
            and not is_empty(setting.pair, table)
        ):
            yield table


def relations(found: Subscription | None) -> set[tuple[str, str]]:
    """Schema and name of the tables that the subscription knows of."""
    return {(r.schema, r.name) for r in found.relations} if found else set()


def reconciling(setting: Setting) -> bool:
    """Whether rows are to be brought into line, instead of being copied by the server."""
    return setting.journal is not None and bool(of_kind(setting.journal.made, Reconciling))


def modes(setting: Setting) -> list[Change]:
    """The modes that triggers are to have in the end, where they have others."""
    target, replication = setting.pair.target.connection, setting.replication
    if setting.journal is None:
        return due(target, replication.tables)
    former = {t.name: cast(TriggerMode, t.former) for t in of_kind(setting.journal.made, ModeSet)}
    return held.afterwards(target, replication, former)
