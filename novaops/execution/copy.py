"""A throwaway copy of a schema: what plans are tried on before they touch the live database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import psycopg

from novaops.catalog.object import Object
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.diff import Comparison
from novaops.planning.dump import creation
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope


@dataclass(frozen=True, slots=True)
class Stage:
    """The empty database that a copy is made in.

    With `commits` (a database that is dropped afterwards) every statement of the plan is seen by
    itself, as in the real run. Without, everything is one transaction that is rolled back, and a
    statement shows the locks of those before it too.
    """

    connection: psycopg.Connection[Any]
    commits: bool

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """The time in which it is used; without `commits` the connection must be in no transaction before."""
        if not self.commits:
            self.connection.autocommit = False
        try:
            self.connection.execute("SET check_function_bodies = off; SET synchronous_commit = off")
            yield
        finally:
            if not self.commits:
                self.connection.rollback()

    def copy(self, part: Snapshot, comparison: Comparison) -> None:
        """Make all objects of the snapshot, in transactions that leave room in the lock table.

        Privileges are copied however they are compared: what a statement revokes was there before.
        """
        exact = replace(comparison, privileges=PrivilegeMode.MANAGED, ignored=None)
        made = creation(part, Scope(frozenset(), True), exact)
        for _, group in groupby(zip(made.numbers, made.written, strict=True), lambda pair: pair[0]):
            with self.step(), self.connection.pipeline():
                for _, written in group:
                    self.connection.execute(written.step.sql)

    def step(self) -> AbstractContextManager[object]:
        """A transaction of its own where there are commits.

        No subtransaction elsewhere: a label that is added to an enum can be used at once only if both type
        and label come from the outermost transaction (src/backend/catalog/pg_enum.c, "uncommitted_enum_types").
        """
        return self.connection.transaction() if self.commits else nullcontext()

    def snapshot(self) -> Snapshot:
        """What is in it now."""
        with self.connection.transaction():
            return read(self.connection, list(registry().values()))


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
