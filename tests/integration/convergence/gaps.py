"""Runs a draft while another session looks, after each commit, what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.locks import LockTable
from novaops.planning.busy import busy_relations
from novaops.planning.diff import diff
from novaops.planning.draft import Draft, draft
from novaops.planning.nodes import kind_of
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, snapshot

ROOM = LockTable().room


@dataclass(frozen=True, slots=True)
class Planned:
    """A database, and the draft that leads it to the desired state."""

    url: str
    connection: psycopg.Connection[Any]
    draft: Draft
    desired: Snapshot

    def missing(self) -> list[tuple[int, object]]:
        """Run the draft; returns what is missing at a commit and in no gap, with the number of statements that ran."""
        return [(ran, entry) for ran, lost in self._lost() for entry in lost - self._named(ran)]

    def left(self) -> list[object]:
        """Return what differs from the desired state."""
        return list(diff(snapshot(self.connection), self.desired, EVERYTHING, MANAGED))

    def _lost(self) -> Iterator[tuple[int, set[object]]]:
        kept = _present(self.draft.scene.live) & _present(self.draft.scene.desired)
        ran = 0
        with psycopg.connect(self.url, autocommit=True) as other:
            pairs = zip(self.draft.numbers, self.draft.written, strict=True)
            for number, group in groupby(pairs, key=lambda pair: pair[0]):
                statements = [written.step.sql for _, written in group]
                for commits in [[s] for s in statements] if number is None else [statements]:
                    with self.connection.transaction() if number is not None else _nothing():
                        for statement in commits:
                            self.connection.execute(statement)
                    ran += len(commits)
                    yield ran, kept - _present(snapshot(other))

    def _named(self, ran: int) -> set[object]:
        """Entries of the gaps that are open when so many statements have run."""
        open_ = [gap.object for gap in self.draft.gaps if gap.taken < ran <= gap.given]
        found: set[object] = set()
        for obj in open_:
            found |= _entries(obj)
            for address, inside in self.draft.scene.live.objects.items():
                if address.names[: len(obj.address.names)] == obj.address.names:
                    found |= _entries(inside)
        return found


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def planned(current: str, goal: str, old: str, new: str, room: int = ROOM) -> Planned:
    """Return the draft from `old` to `new` for a database in which `old` was run; the caller closes the connection."""
    with psycopg.connect(goal, autocommit=True) as connection:
        connection.execute(new)
        desired = snapshot(connection)
    connection = psycopg.connect(current, autocommit=True)
    connection.execute(old)
    connection.execute("SET check_function_bodies = off")
    live = snapshot(connection)
    busy = busy_relations(draft(live, desired, EVERYTHING, MANAGED), connection)
    made = draft(live, desired, EVERYTHING, MANAGED, busy=busy, room=room)
    return Planned(current, connection, made, desired)


def _present(state: Snapshot) -> set[object]:
    """Return what people rely on: objects, the names by which relations are reached, and privileges."""
    return {entry for obj in state for entry in _entries(obj)}


def _entries(obj: Object) -> set[object]:
    names = {("name", *name) for name in kind_of(obj).names(obj)}
    privileges = {(obj.identity, p.grantee, p.privilege) for p in obj.privileges or ()}
    return {obj.address, *names, *privileges}
