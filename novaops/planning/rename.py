"""Plans renames: the declared state goes back to the names that the live database has.

The shadow, in which the files have run, is renamed to the present names and read again: what texts
say then, PostgreSQL has written, and what depends on what is as it is in the live database. The plan
leads there, all under names that exist, so that live rows can be asked about. Its last statements are
the renames, those of the shadow the other way round.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import psycopg

from novaops.catalog.address import Address, Oid
from novaops.catalog.naming import called
from novaops.catalog.object import Object
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import suffixed
from novaops.desired.renamed import NewName, Renamed
from novaops.desired.renames import Rename
from novaops.diagnostics import DiagnosticsError, Source
from novaops.errors import NovaopsError
from novaops.kinds import registry
from novaops.kinds.concurrently import NEW
from novaops.kinds.inheritance import origin
from novaops.kinds.kind import Step
from novaops.planning.earlier_names import Excluded, Pending, depth, pending
from novaops.planning.nodes import belonging, kind_of

Names = tuple[str | None, str]
"""Schema and name."""


def present_names(
    connection: psycopg.Connection[Any],
    live: Snapshot,
    desired: Snapshot,
    declared: Sequence[Rename],
    sources: Mapping[Address, Source],
    excluded: Excluded,
) -> Renamed | None:
    """What was read from the shadow as `desired`, under the names of `live`; None when these are its own.

    Raises `DiagnosticsError` where a rename cannot be done. The shadow has the present names afterwards.
    """
    found, notices = pending(live, desired, declared, excluded)
    if not found:
        return Renamed(desired, sources=sources, notices=tuple(notices)) if notices else None
    shadow = _Shadow(connection, desired)
    shadow.rename_parts([p for p in found if p.part is not None])
    whole = [p for p in found if p.part is None]
    shadow.rename(
        {p.obj.address: (p.schema, p.name) for p in whole}, {p.obj.address: p.rename for p in whole}
    )
    while followers := dict(_followers(live, shadow.snapshot, shadow.renamed_now())):
        shadow.rename(followers)
    return Renamed(
        shadow.snapshot,
        tuple(reversed(shadow.forward)),
        tuple(shadow.names(found)),
        {shadow.present(address): source for address, source in sources.items()},
        tuple(notices),
    )


@dataclass(slots=True)
class _Shadow:
    """The declared state on its way to the present names; `forward` undoes what was done, last things first."""

    connection: psycopg.Connection[Any]
    declared: Snapshot
    snapshot: Snapshot = field(init=False)
    forward: list[tuple[Object, Step]] = field(default_factory=list)
    renamed: list[Oid] = field(default_factory=list)
    oids: Mapping[Address, Oid] = field(init=False)

    def __post_init__(self) -> None:
        self.snapshot = self.declared
        self.oids = {address: oid for oid, address in self.declared.claims.items()}

    def present(self, address: Address) -> Address:
        """The address now of what is declared by another one."""
        return self.snapshot.claims.get(self.oids.get(address, Oid(0, 0)), address)

    def renamed_now(self) -> list[Address]:
        """Present addresses of all that has another name than declared, columns of heirs included."""
        pairs = ((self.declared[a], self.snapshot.claims.get(oid)) for a, oid in self.oids.items())
        return [now for obj, now in pairs if now is not None and self.snapshot[now].name != obj.name]

    def rename_parts(self, found: Sequence[Pending]) -> None:
        for each in found:
            assert each.part is not None  # noqa: S101
            kind = kind_of(each.obj)
            self._run(kind.rename_part(each.obj, each.part, each.name), each.rename)
            self._undo(each.obj, kind.rename_part(each.obj, each.name, each.part))

    def rename(self, goals: Mapping[Address, Names], causes: Mapping[Address, Rename] | None = None) -> None:
        """Give the objects these names, those within others first, and read what comes of it."""
        # What is inherited goes along with what it is inherited from, or can be renamed when that has been.
        goals = {a: names for a, names in goals.items() if _origin(self.snapshot[a]) not in goals}
        oids = {address: oid for oid, address in self.snapshot.claims.items()}
        self.renamed += [oids[address] for address in goals if address in oids]
        crowd = _Crowd(self.snapshot)
        deepest_first = sorted(goals, key=lambda a: (-depth(self.snapshot[a]), a))
        for _, group in groupby(deepest_first, key=lambda a: depth(self.snapshot[a])):
            for before, after, goal in crowd.moves({a: goals[a] for a in group}):
                self._run(_steps(before, after), (causes or {}).get(goal))
                self._undo(before, _steps(after, before))
        self.snapshot = read(self.connection, list(registry().values()), alone=True)

    def names(self, found: Sequence[Pending]) -> Iterator[NewName]:
        declared = {oid: self.declared[address] for oid, address in self.declared.claims.items()}
        for oid in dict.fromkeys(self.renamed):
            yield NewName(self.snapshot[self.snapshot.claims[oid]], declared[oid])
        for each in found:
            if each.part is not None:
                yield NewName(self.snapshot[self.present(each.obj.address)], each.obj, (each.name, each.part))

    def _run(self, steps: Sequence[Step], cause: Rename | None) -> None:
        try:
            with self.connection.transaction():
                for step in steps:
                    self.connection.execute(step.sql)
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            message = f"PostgreSQL does not rename it: {error.diag.message_primary or error}"
            if cause is None:
                raise NovaopsError(message, detail=steps[0].sql) from error
            raise DiagnosticsError([cause.wrong(message, error.diag.message_hint)]) from None

    def _undo(self, obj: Object, steps: Sequence[Step]) -> None:
        self.forward += [(obj, step) for step in reversed(steps)]


def _origin(obj: Object) -> Address | None:
    return origin(obj) if "inherited_from" in obj.facts else None


def _steps(before: Object, after: Object) -> list[Step]:
    """What leads from one name, or schema, to another."""
    kind = kind_of(before)
    if before.name != after.name:
        return kind.rename(before, after.name)
    return kind.move(before, after.schema or "")


@dataclass(slots=True)
class _Crowd:
    """Who has which name, while some are renamed: a name is free when nobody has it."""

    snapshot: Snapshot
    at: dict[Address, Object] = field(default_factory=dict)
    holders: dict[Hashable, Address] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for obj in self.snapshot:
            self.at[obj.address] = obj
            for key in _keys(obj):
                self.holders[key] = obj.address

    def moves(self, goals: Mapping[Address, Names]) -> Iterator[tuple[Object, Object, Address]]:
        """Steps by which all get their names: an object before and after, and the goal that it is for."""
        todo = dict(goals)
        while todo:
            ready = next((a for a in todo if self._in_the_way(a, todo[a]) is None), None)
            if ready is not None:
                yield from ((*step, ready) for step in self._go(ready, todo.pop(ready)))
                continue
            first = next(iter(todo))
            other = self._in_the_way(first, todo[first])
            assert other is not None  # noqa: S101
            # It has a name of its own to go to later, or comes into being under this one.
            yield from ((*step, first) for step in self._go(other, self._aside(self.at[other])))

    def _aside(self, obj: Object) -> Names:
        return obj.schema, suffixed(obj.name, NEW)

    def _in_the_way(self, address: Address, names: Names) -> Address | None:
        keys = _keys(called(self.at[address], *names))
        return next((h for k in keys if (h := self.holders.get(k)) not in (None, address)), None)

    def _go(self, address: Address, names: Names) -> Iterator[tuple[Object, Object]]:
        schema, name = names
        start = self.at[address]
        between = start.schema, name
        if start.schema != schema and start.name != name and self._in_the_way(address, between):
            between = schema, start.name
            if self._in_the_way(address, between):
                yield from self._go(address, self._aside(start))
                yield from self._go(address, (schema, self.at[address].name))
                between = names
        for stop in (between, names):
            before, after = self.at[address], called(self.at[address], *stop)
            if before.address != after.address:
                for key in _keys(before):
                    self.holders.pop(key, None)
                self.holders.update(dict.fromkeys(_keys(after), address))
                self.at[address] = after
                yield before, after


def _keys(obj: Object) -> set[Hashable]:
    return {obj.address, *kind_of(obj).names(obj)}


def _followers(
    live: Snapshot, desired: Snapshot, renamed: Sequence[Address]
) -> Iterator[tuple[Address, Names]]:
    """What belongs to renamed objects and is the same but for its name, where PostgreSQL makes up such names.

    RENAME leaves these names as they are, while the files have those of the new name.
    """
    for address in renamed:
        if address not in live or address not in desired:
            continue
        free: dict[Hashable, list[Object]] = {}
        for there in _named_after(live, desired, address):
            free.setdefault(_same(there, live), []).append(there)
        for here in _named_after(desired, live, address):
            if twins := free.get(_same(here, desired)):
                twin = twins.pop(0)
                yield here.address, (here.schema, twin.name)


def _named_after(snapshot: Snapshot, other: Snapshot, address: Address) -> list[Object]:
    belong = dict.fromkeys(belonging(snapshot, address))
    found = (snapshot[a] for a in belong if a not in other)
    return sorted((o for o in found if kind_of(o).named_after), key=lambda o: o.address)


def _same(obj: Object, snapshot: Snapshot) -> Hashable:
    likeness = kind_of(obj).likeness(obj, snapshot)
    return obj.kind, obj.parent, repr(sorted(likeness.items()))
