"""One target of a change: what it is to go through, planned from how it is at the moment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from psycopg.sql import SQL, Composed, Identifier

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.errors import RefusedError
from novaops.invocation import command_line
from novaops.planning.plan import Plan
from novaops.planning.planner import plan
from novaops.planning.request import Request
from novaops.project import Project
from novaops.replication.checks.tables import filter_columns
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import PublishedTable, Subscription, publication, subscriptions
from novaops.replication.pair import Pair
from novaops.replication.proof.health import findings
from novaops.replication.proof.state import read_state
from novaops.replication.schema_change.goals import final, tolerant
from novaops.replication.schema_change.intents import Intent
from novaops.replication.schema_change.tables import Columns, Name, States, lists_of
from novaops.replication.set_up import publication as publications
from novaops.replication.set_up.journal import Made, RunJournal

CONSTANT = re.compile(
    r"\(?-?\d[\d.]*\)?(::.+)?|'(?:[^']|'')*'(::.+)?|(true|false|NULL)(::.+)?", re.DOTALL | re.IGNORECASE
)
"""A default, as PostgreSQL writes it, that is the same wherever and whenever it is computed."""
RESTART = timedelta(seconds=8)
"""How long a worker may be away that is started again (wal_retrieve_retry_interval is 5 s)."""
BETWEEN = frozenset({"no-worker", "slot-inactive"})
"""What is found of a replication whose worker is started again at the moment."""
INTENT, PAUSED, TO_COPY, NARROWED = "shape", "paused", "to copy", "narrowed"
"""What the journal tells of a change: parts of tables, a subscription that waits, tables whose rows are to be brought
into line, a publication that leaves out columns for a while."""


@dataclass
class Receiver:
    """A target, and the project of its database: nothing declares that but what is there, and the source."""

    pair: Pair
    replication: Replication
    project: Project
    journaled: tuple[Made, ...] = ()
    """What the run that was cut off has written down."""
    journal: RunJournal | None = field(default=None, init=False)

    @property
    def made(self) -> Sequence[Made]:
        return self.journal.made if self.journal else self.journaled

    @property
    def database(self) -> str:
        return self.replication.target.database

    @property
    def both_ways(self) -> bool:
        return self.replication.direction == "both"

    @cached_property
    def other_way(self) -> Replication:
        """The rows that the target sends, where the direction is both."""
        return self.replication.reversed()

    @property
    def back(self) -> Pair:
        """The pair with its sides exchanged."""
        return Pair(self.pair.target, self.pair.source, self.pair.same_server)

    def known_intents(self) -> list[Intent]:
        """The parts of tables that were touched before the run was cut off."""
        return [Intent.of(m.name, m.before) for m in self.made if m.kind == INTENT]

    def states(self, before: Snapshot, after: Snapshot, target: Snapshot) -> States:
        """All that a goal is made of; raises `RefusedError` where the publication lacks a table."""
        return States(before, after, target, self.replication.tables, self._published())

    def check(self) -> None:
        """Raise `RefusedError` where there is nothing yet that could be changed, or rows do not arrive."""
        again = command_line("replicate", *self.replication.options)
        paused = {m.name for m in self.made if m.kind == PAUSED}
        deadline = time.monotonic() + RESTART.total_seconds()
        while True:
            state = read_state(self.pair, self.replication)
            wrong = [f for f in findings(self.replication, state) if f.severity == "error"]
            if not {f.name for f in wrong} & BETWEEN or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if wrong:
            raise RefusedError(
                f"{self.replication.name} does not work as it is: {wrong[0].message}",
                detail=wrong[0].detail,
                hint=wrong[0].remedy or again,
            )
        if state.subscription is None or not state.subscription.ready:
            raise RefusedError(f"{self.replication.name} is not set up, or still copies rows", hint=again)
        if self.both_ways:
            found = self.reverse_subscription()
            if found is None or not (found.enabled or found.name in paused):
                name = self.other_way.subscription
                raise RefusedError(
                    f"the subscription {name} of the other direction is not enabled", hint=again
                )

    def reverse_subscription(self) -> Subscription | None:
        return subscriptions(self.pair.source.connection).get(self.other_way.subscription)

    def _published(self) -> Mapping[Name, Columns]:
        found = self._tables()
        for table in self.replication.tables:
            if (table.schema, table.name) not in found:
                raise RefusedError(
                    f"{table} is not in the publication {self.replication.publication} yet",
                    hint=command_line("replicate", *self.replication.options),
                )
        return lists_of(found.values())

    def as_published(self) -> list[ReplicatedTable]:
        """The declared tables, with the lists and filters that are published now."""
        found = self._tables()
        names = [(table, found[table.schema, table.name]) for table in self.replication.tables]
        return [replace(t, columns=p.columns, row_filter=p.row_filter) for t, p in names]

    def _tables(self) -> Mapping[Name, PublishedTable]:
        found = publication(self.pair.source.connection, self.replication.publication)
        return {(t.schema, t.name): t for t in found.tables} if found else {}

    # -- the schema of the target -----------------------------------------------------------

    def relaxing(self, states: States, wanted: Sequence[Intent], allowed: Mapping[str, str]) -> Plan:
        """What lets the target take both shapes."""
        return self._plan(states.target, tolerant(states, wanted), allowed)

    def restricting(self, states: States, wanted: Sequence[Intent], allowed: Mapping[str, str]) -> Plan:
        """What the target becomes when it has the rows of the old shape."""
        return self._plan(states.target, final(states, wanted), allowed)

    def _plan(self, live: Snapshot, desired: Snapshot, allowed: Mapping[str, str]) -> Plan:
        request = Request(
            live=live,
            desired=desired,
            scope=self.project.scope(desired),
            comparison=self.project.comparison(),
            target=self.project.target(),
            allowed=allowed,
            safe_below=self.project.options.safe_below,
            watch=self.project.options.watch,
        )
        made = plan(request, self.project.connection)
        return replace(made, files=f"what {self.replication.source.database} sends")

    # -- what is published ------------------------------------------------------------------

    def narrowed(self, states: States) -> Replication | None:
        """The replication with what is sent both before the change and after it; None where that is what is sent."""
        found, tables, less = self._tables(), [], False
        for table in self.replication.tables:
            published = found[table.schema, table.name]
            columns = _common(states, table, published)
            before, after = _names(states.before, table), _names(states.after, table)
            lost = before - after
            row_filter = published.row_filter if _words(table) & (after - before) else table.row_filter
            less |= (columns and set(columns)) != (published.columns and set(published.columns))
            less |= bool(lost & set(filter_columns(published.row_filter or "")))
            tables.append(replace(table, columns=columns, row_filter=row_filter))
        return replace(self.replication, tables=tuple(tables)) if less else None

    def wider(self) -> list[Composed]:
        """What publishes all that is declared."""
        return publications.statements(self.pair.source.connection, self.replication)

    def without(self, states: States, wanted: Sequence[Intent]) -> list[Composed]:
        """Two directions: what lets the target send no column that the source is about to lose."""
        lost: dict[Name, set[str]] = {}
        for intent in wanted:
            address = intent.address
            here, there = address in states.after, address in states.target
            if address.type == "table column" and there and not here:
                root = states.roots[address.names[0], address.names[1]]
                lost.setdefault(root, set()).add(address.names[2])
        sent = publication(self.pair.target.connection, self.other_way.publication)
        if not lost or sent is None:
            return []
        clauses, less = [], False
        for table in sent.tables:
            gone = lost.get((table.schema, table.name), set())
            names = table.columns or tuple(_sendable(states.target, table))
            less |= bool(gone & set(names))
            columns = tuple(n for n in names if n not in gone) if gone else table.columns
            clauses.append(publications.table_clause(replace(table, columns=columns)))
        text = SQL("ALTER PUBLICATION {} SET TABLE {}")
        return [text.format(Identifier(sent.name), SQL(", ").join(clauses))] if less else []


def to_copy(states: States, wanted: Sequence[Intent]) -> list[ReplicatedTable]:
    """The tables with columns whose present values no row will bring: each side has computed its own."""
    found: set[Name] = set()
    for intent in wanted:
        column = intent.address
        if column.type != "table column" or not states.sent_after(column) or states.sent_before(column):
            continue
        new = states.after[column]
        children = states.after.children.get(column, ())
        defaults = [o["expression"] for o in children if o.kind == "default value"]
        computed = any(not CONSTANT.fullmatch(text) for text in defaults)
        root = states.roots[column.names[0], column.names[1]]
        # Into a list it comes after the source's plan, and rows may have been written with it by then.
        listed = states.declared[root] is not None
        if listed or column in states.before or computed or new["identity_options"] is not None:
            found.add(root)
    return [t for t in states.tables if (t.schema, t.name) in found]


def _common(states: States, table: ReplicatedTable, published: PublishedTable) -> tuple[str, ...] | None:
    if published.columns is None and table.columns is None:
        return None
    there = _names(states.before, table)
    declared = _names(states.after, table) if table.columns is None else set(table.columns)
    now = there if published.columns is None else set(published.columns)
    return tuple(sorted(there & declared & now))


def _names(snapshot: Snapshot, table: ReplicatedTable) -> set[str]:
    return {o.name for o in _columns(snapshot, table.schema, table.name)}


def _words(table: ReplicatedTable) -> set[str]:
    """The columns of the declared filter; words that are none do no harm."""
    return set(filter_columns(table.row_filter)) if table.row_filter else set()


def _sendable(snapshot: Snapshot, table: PublishedTable) -> Iterator[str]:
    columns = [o for o in _columns(snapshot, table.schema, table.name) if not o["generated"]]
    yield from (o.name for o in sorted(columns, key=lambda o: int(o["_position"])))


def _columns(snapshot: Snapshot, schema: str, name: str) -> Iterator[Object]:
    children = snapshot.children.get(Address("table", (schema, name)), ())
    return (o for o in children if o.address.type == "table column")
