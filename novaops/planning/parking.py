"""Dropped tables that are put aside instead: with their rows, and what it takes to bring them back.

A parked table is moved to the schema `novaops_parked`. Its indexes and sequences go with it (documentation, ALTER
TABLE, SET SCHEMA). What needs anything else (foreign keys, triggers, policies, a default that calls a
function) is dropped, so that nothing that the files drop is held by a parked table, and is made again
when the table comes back. Values of a dropped column stay behind: a column cannot leave its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident, quote_literal, quote_qualified, suffixed
from novaops.invocation import command_line
from novaops.planning.changes import Change, Create, Drop
from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from novaops.planning.nodes import kind_of
from novaops.planning.plan import PlannedChange, Statement
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import EVERYTHING, Scope

PARKED = "novaops_parked"
WITH_PRIVILEGES = Comparison(PrivilegeMode.MANAGED)
REGISTER = (
    "CREATE SCHEMA IF NOT EXISTS novaops",
    f"CREATE SCHEMA IF NOT EXISTS {PARKED}",
    """CREATE TABLE IF NOT EXISTS novaops.parked (
    name text PRIMARY KEY,
    origin text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    until timestamptz NOT NULL,
    return text[] NOT NULL,
    restore text[] NOT NULL
)""",
)


@dataclass(frozen=True, slots=True)
class Parking:
    """What is parked: `live` is what is left for the rest of the plan, without the parked tables."""

    live: Snapshot
    statements: tuple[Statement, ...] = ()
    changes: tuple[PlannedChange, ...] = ()
    notices: tuple[str, ...] = ()
    held: frozenset[Address] = frozenset()
    """Tables that cannot be parked, and are dropped."""


def park(live: Snapshot, desired: Snapshot, scope: Scope, comparison: Comparison, keep: timedelta) -> Parking:
    """Park the tables that would be dropped; those that cannot be are named in the notices."""
    changes = diff(live, desired, scope, comparison)
    at = datetime.now(UTC).replace(microsecond=0)
    parked, notices, held = list[_Table](), list[str](), set[Address]()
    for change in (changes[address] for address in sorted(changes)):
        if isinstance(change, Drop) and change.address.type == "table":
            table = _Table.of(change.old, live)
            if (why := table.held(changes, desired)) is None:
                parked.append(table)
            else:
                notices.append(f"{change.old.identity} cannot be parked: {why}")
                held.add(change.address)
    if not parked:
        return Parking(live, notices=tuple(notices), held=frozenset(held))
    gone = {a for table in parked for a in (*table.staying, *table.leaving)}
    return Parking(
        live.part(live.objects.keys() - gone),
        (
            *(Statement(text, 1, "schema", PARKED, "create") for text in REGISTER),
            *(s for table in parked for s in table.statements(at, at + keep, changes)),
        ),
        tuple(table.change(at + keep) for table in parked),
        (*notices, *(table.way_back for table in parked)),
        frozenset(held),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with its parts: those that move with it, and those that are dropped before."""

    table: Object
    live: Snapshot
    staying: Set[Address]
    leaving: Set[Address]

    @classmethod
    def of(cls, table: Object, live: Snapshot) -> _Table:
        whole = _whole(table, live)
        leaving = {a for a in whole if not _moves(live[a], table, whole, live)}
        while more := {
            a for a in whole - leaving for e in _needs(a, live) if e in leaving and not _is_core(a)
        }:
            leaving |= more
        return cls(table, live, frozenset(whole - leaving), frozenset(leaving))

    def held(self, changes: Mapping[Address, Change], desired: Snapshot) -> str | None:
        """Why the table cannot be parked, if so."""
        table = self.table
        if table["partition_key"] or table["partition_of"] or table["parents"] or table["of_type"]:
            return "it is partitioned, a partition, inherits, or is of a type"
        if any(table.identity in (o.attributes.get("parents") or ()) for o in self.live):
            return "others inherit from it"
        whole = self.staying | self.leaving
        if kept := sorted(a for a in whole if a in desired):
            return f"{self.live[kept[0]].identity} stays"
        names = set(kind_of(table).names(table))
        for new in (c.new for c in changes.values() if isinstance(c, Create)):
            if not names.isdisjoint(kind_of(new).names(new)):
                return f"{new.identity} takes its name, and would not be there before the next transaction"
        for edge in (e for a in sorted(whole) for e in self.live.dependents.get(a, ())):
            if edge.dependent not in whole and edge.dependent not in changes:
                return f"{self.live[edge.dependent].identity}, which stays, needs it"
        for part in (self.live[a] for a in sorted(self.leaving)):
            if any(o.attributes.get("generated") for o in (part, *self.live.ancestors(part))):
                return f"{part.identity} computes its values with what is not a part of the table"
        for address in sorted(self.staying):
            for needed in _needs(address, self.live):
                change = changes.get(needed)
                if needed.type != "schema" and change is not None and needed not in self.staying:
                    return f"it needs {self.live[needed].identity}, which changes as well"
        return None

    def statements(
        self, at: datetime, until: datetime, changes: Mapping[Address, Change]
    ) -> Iterator[Statement]:
        """What parks it, and records how it comes back."""
        without = self.live.part(self.live.objects.keys() - self.leaving)
        texts = [w.step.sql for w in draft(self.live, without, EVERYTHING, WITH_PRIVILEGES).written]
        schema, name = self.table.address.names
        back = []
        for keyword, home, each in [*sorted(self._named()), ("TABLE", schema, name)]:
            put = quote_ident(_put(home, each, at))
            texts.append(f"ALTER {keyword} {quote_qualified(home, each)} RENAME TO {put}")
            back.append(f"ALTER {keyword} {quote_ident(schema)}.{put} RENAME TO {quote_ident(each)}")
        put = _put(schema, name, at)
        texts.append(f"ALTER TABLE {quote_qualified(schema, put)} SET SCHEMA {PARKED}")
        back.insert(0, f"ALTER TABLE {quote_qualified(PARKED, put)} SET SCHEMA {quote_ident(schema)}")
        values = (quote_literal(v) for v in (put, self.table.identity, until.isoformat()))
        record = ", ".join([*values, _array(back), _array(self._restored(changes))])
        texts.append(f"INSERT INTO novaops.parked (name, origin, until, return, restore) VALUES ({record})")
        for text in texts:
            yield Statement(text, 1, self.table.kind, self.table.identity, "drop")

    def change(self, until: datetime) -> PlannedChange:
        """The line that people read."""
        detail = f"parked until {until:%Y-%m-%d}"
        table = self.table
        return PlannedChange("drop", table.kind, table.identity, table.schema, table.name, detail=(detail,))

    @property
    def way_back(self) -> str:
        """Say how it comes back."""
        identity = self.table.identity
        return f"{identity} is parked: {command_line('unpark', arguments=[identity])}"

    def _named(self) -> Iterator[tuple[str, str, str]]:
        """What moves along and has a name of its own in its schema: (keyword, schema, name)."""
        for obj in (self.live[a] for a in self.staying if a != self.table.address):
            if obj.address.type == "sequence":
                yield "SEQUENCE", obj.schema or "", obj.name
            elif obj.address.type == "index" or obj.facts.get("index"):
                yield "INDEX", obj.schema or "", obj.name

    def _restored(self, changes: Mapping[Address, Change]) -> list[str]:
        """What makes again what was dropped, and the foreign keys of tables that are still there."""
        referring = {
            e.dependent
            for a in self.staying
            for e in self.live.dependents.get(a, ())
            if e.dependent.type == "table constraint" and isinstance(changes.get(e.dependent), Drop)
        }
        gone = {
            a for a in referring - self.staying - self.leaving
            if not isinstance(changes.get(self.live[a].parent or a), Drop)
        } | self.leaving  # fmt: skip
        without = self.live.part(self.live.objects.keys() - gone)
        return [w.step.sql for w in draft(without, self.live, EVERYTHING, WITH_PRIVILEGES).written]


def _whole(table: Object, live: Snapshot) -> Set[Address]:
    """The table, what it contains, and what goes when it goes: sequences, statistics, a place in a publication."""
    found, todo = {table.address}, [table.address]
    while todo:
        at = todo.pop()
        near = {child.address for child in live.children.get(at, ())}
        near |= {e.dependent for e in live.dependents.get(at, ()) if not e.types.isdisjoint("ai")}
        near = {a for a in near if a.type not in ("table", "foreign table")} - found
        todo += near
        found |= near
    return found


def _moves(part: Object, table: Object, whole: Set[Address], live: Snapshot) -> bool:
    """Whether ALTER TABLE … SET SCHEMA takes it along, and nothing else is needed by it."""
    if _is_core(part.address):
        return True
    inside = part.address.type == "sequence" or table in live.ancestors(part)
    needed = (a for a in _needs(part.address, live) if a.type not in ("schema", "extension"))
    return inside and all(a in whole for a in needed)


def _is_core(address: Address) -> bool:
    """Whether it is the table or one of its columns, without which nothing would be kept."""
    return address.type in ("table", "table column")


def _needs(address: Address, live: Snapshot) -> list[Address]:
    return [edge.referenced for edge in live.dependencies.get(address, ())]


def _put(schema: str, name: str, at: datetime) -> str:
    """The name of something that is parked: where it is from, and when it was parked."""
    return suffixed(f"{schema}.{name}", f"__{at:%Y%m%d_%H%M%S}")


def _array(texts: Sequence[str]) -> str:
    return f"ARRAY[{', '.join(map(quote_literal, texts))}]::text[]"
