"""A throwaway copy of a schema: what plans are tried on before they touch the live database."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import psycopg
from psycopg import errors

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import GRANTS
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.desired.containers import addresses, removed
from novaops.kinds import registry
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft
from novaops.planning.dump import creation
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import EVERYTHING

SETTINGS = "SET check_function_bodies = off; SET synchronous_commit = off"


@dataclass(frozen=True, slots=True)
class Stage:
    """The empty database that a copy is made in.

    With `commits` (a database that is dropped afterwards) every statement of the plan is seen by
    itself, as in the real run. Without, everything is one transaction that is rolled back, and a
    statement shows the locks of those before it too. `left_out` are objects that the role may not make:
    default privileges of another role, a publication of all tables; they are taken for what they are in the original.
    `others` are extensions and their schemas that somebody else made there. `roles` are made for the time of the transaction, on a server that lacks them.
    """

    connection: psycopg.Connection[Any]
    commits: bool
    roles: tuple[str, ...] = ()
    left_out: dict[Address, Object] = field(default_factory=dict)
    others: set[Address] = field(default_factory=set)

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """The time in which it is used."""
        if not self.commits:
            self.connection.rollback()
            self.connection.autocommit = False
        try:
            yield
        finally:
            if not self.commits:
                self.connection.rollback()

    def copy(self, part: Snapshot, comparison: Comparison) -> None:
        """Make all objects of the snapshot, in transactions that leave room in the lock table.

        Privileges are copied however they are compared: what a statement revokes was there before.
        """
        exact = replace(
            comparison, privileges=PrivilegeMode.MANAGED, ignored=None, ignored_default=None, grantors=True
        )
        maker = "" if comparison.owners else self._role()
        self._take_over(part)
        while True:
            made = creation(part.part(part.objects.keys() - self.left_out.keys()), EVERYTHING, exact, maker)
            try:
                return self._make(made)
            except errors.InsufficientPrivilege:
                self._abandon()
            denied = self._denied(made)
            self.left_out.update({a: part[a] for a in with_dependents(denied, part)})

    def _role(self) -> str:
        with self.connection.transaction():
            row = self.connection.execute("SELECT current_user").fetchone()
        assert row is not None  # noqa: S101
        return str(row[0])

    def _take_over(self, part: Snapshot) -> None:
        """Look what the stage has that the role may not drop: that is taken for what the original has, or for nothing."""
        if not self.commits:
            stay = addresses(removed(self.connection))
            self.left_out.update({a: part[a] for a in stay & part.objects.keys()})
            self.others.update(stay - part.objects.keys())

    def _begin(self) -> None:
        self.connection.execute(SETTINGS)
        if not self.commits:
            removed(self.connection)
        for role in self.roles:
            self.connection.execute(f"CREATE ROLE {quote_ident(role)}")

    def _make(self, made: Draft) -> None:
        self._begin()
        for _, group in groupby(zip(made.numbers, made.written, strict=True), lambda pair: pair[0]):
            with self.step(), self.connection.pipeline():
                for _, written in group:
                    self.connection.execute(written.step.sql)

    def _denied(self, made: Draft) -> Address:
        """The object that the role may not make, which only statement after statement tells."""
        self._begin()
        at = made.written[0].object.address
        with suppress(errors.InsufficientPrivilege), self.step():
            for written in made.written:
                at = written.object.address
                self.connection.execute(written.step.sql)
        self._abandon()
        return at

    def _abandon(self) -> None:
        if not self.commits:
            self.connection.rollback()

    def step(self) -> AbstractContextManager[object]:
        """A transaction of its own where there are commits.

        No subtransaction elsewhere: a label that is added to an enum can be used at once, since PostgreSQL 17, if
        both type and label come from the outermost transaction (src/backend/catalog/pg_enum.c, "uncommitted_enum_types").
        """
        return self.connection.transaction() if self.commits else nullcontext()

    def snapshot(self) -> Snapshot:
        """What is in it now, and what was left out."""
        with self.connection.transaction():
            found = read(self.connection, list(registry().values()))
        found = found.part(found.objects.keys() - self.others) if self.others else found
        return replace(found, objects={**found.objects, **self.left_out})


def roles_in(part: Snapshot) -> Set[str]:
    """The roles that grants, policies and default privileges name; some of them quoted."""
    found = {p.grantee for o in part for p in o.privileges or ()}
    for obj in part:
        found.update(obj.attributes.get("roles") or (), filter(None, [obj.facts.get("role")]))
    return found


def with_dependents(address: Address, snapshot: Snapshot) -> Set[Address]:
    """The object, what it contains, and whatever needs one of these."""
    found, todo = {address}, [address]
    while todo:
        at = todo.pop()
        near = {e.dependent for e in snapshot.dependents.get(at, ())}
        near |= {child.address for child in snapshot.children.get(at, ())}
        todo += near - found
        found |= near
    return found


def given_as_in(live: Snapshot, copy: Snapshot) -> Snapshot:
    """The snapshot of a copy of `live`, with what cannot be taken back there because of who has granted it."""
    objects = dict(copy.objects)
    for address, obj in copy.objects.items():
        there = live.objects.get(address)
        given = there.facts.get(GRANTS, ()) if there is not None else ()
        if any(not grant.reached for grant in given):
            objects[address] = replace(obj, facts={**obj.facts, GRANTS: given})
    return replace(copy, objects=objects)


def as_live(copy: Snapshot, live: Snapshot, comparison: Comparison) -> Snapshot:
    """The snapshot of a copy of `live` with the owners that the same objects have there.

    A copy belongs to who made it, unless owners are compared. So do, on both sides, the objects that a plan
    makes, but for what is a part of a table: that has the table's owner.
    """
    if comparison.owners:
        return copy

    def owned(obj: Object) -> Object:
        known = next((live[o.address] for o in (obj, *copy.ancestors(obj)) if o.address in live), None)
        return replace(obj, owner=known.owner if known is not None else live.role)

    objects = {a: owned(o) if o.owner == copy.role else o for a, o in copy.objects.items()}
    return replace(copy, objects=objects, role=live.role)
