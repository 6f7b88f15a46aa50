"""The part of what is desired that needs no consent.

What is refused stays as it is live, along with what depends on it, so that the rest is a desired state
like any other: drafted, assessed, rehearsed and compared in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.errors import UsageError
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import diff
from novaops.planning.hazard_codes import covers
from novaops.planning.nodes import kind_of
from novaops.planning.origin import origins
from novaops.planning.plan import Plan
from novaops.planning.planner import Assessed, assessed, written_plan
from novaops.planning.request import Request
from novaops.planning.shown import shown_changes

CONTAINED = frozenset({"c"})


def safe_only(request: Request, connection: psycopg.Connection[Any] | None) -> tuple[Request, Plan]:
    """The request for what is allowed, and its plan, which names what was left out.

    Raises `UsageError` where the files declare renames that are still to be made.
    """
    if request.renamed is not None:
        raise UsageError(
            "the files declare renames, and --safe-only cannot tell what a name would be without the rest",
            hint="apply the renames by themselves first, from files that change nothing else",
        )
    whole = found = assessed(request, connection)
    wanted = diff(request.live, request.desired, request.scope, request.comparison)
    part, kept = request, frozenset[Address]()
    while refused := {
        a for a, hs in found.hazards.items() if any(not covers(request.allowed, h) for h in hs)
    }:
        larger = _Left(request, wanted, found).closed(kept | refused)
        # A hazard of what nothing desired leads to cannot be left out alone.
        kept = larger if larger > kept and not request.empty else frozenset(wanted)
        part = replace(request, desired=_less(request, kept), empty=False, partial=True)
        found = assessed(part, connection)
    left = replace(whole.draft, changes={a: c for a, c in whole.draft.changes.items() if a in kept})
    since = origins(request.last, request.live, request.desired, left.changes)
    shown = shown_changes(left, whole.hazards, request.sources, since)
    return part, replace(written_plan(part, found), left_out=tuple(shown))


@dataclass(frozen=True)
class _Left:
    """Finds what has to be left out, too."""

    request: Request
    wanted: Mapping[Address, Change]
    """Differences between the live and the desired state, less what PostgreSQL makes of them."""
    found: Assessed

    def closed(self, refused: Iterable[Address]) -> frozenset[Address]:
        """What is refused, what depends on it, what it depends on as it is, and what wants its names."""
        kept: set[Address] = set()
        todo = [cause for address in refused for cause in self._causes(address)]
        while todo:
            address = todo.pop()
            if address not in kept:
                kept.add(address)
                todo += self._with(self.wanted[address])
            if not todo:
                todo += self._named_alike(kept)
        return frozenset(kept)

    def _causes(self, address: Address) -> Iterator[Address]:
        """The object itself, or where it changes only for the sake of others, these."""
        seen, todo = {address}, [address]
        while todo:
            current = todo.pop()
            if current in self.wanted:
                yield current
                continue
            change = self.found.draft.changes.get(current)
            because = [change.because] if isinstance(change, Replace) and change.because else []
            needed = [e.referenced for e in self.request.live.dependencies.get(current, ())]
            for cause in {*because, *needed} - seen:
                if cause in self.found.draft.changes:
                    seen.add(cause)
                    todo.append(cause)

    def _with(self, change: Change) -> Iterator[Address]:
        live, desired = self.request.live, self.request.desired
        above = desired.dependents.get(change.address, ())
        below = live.dependencies.get(change.address, ())
        yield from (a for a in self._needed_by.get(change.address, ()) if a in self.wanted)
        match change:
            case Create():
                yield from (e.dependent for e in above if e.dependent in self.wanted)
                return
            case Alter():
                # What it contains changes for itself, but for its settings: an identity takes the place of a default.
                yield from (e.dependent for e in above if e.types != CONTAINED and e.dependent in self.wanted)
                inside = (*live.children.get(change.address, ()), *desired.children.get(change.address, ()))
                yield from (
                    o.address for o in inside if o.address in self.wanted and kind_of(o).is_setting(o)
                )
            case Drop() | Replace():
                yield from (e.dependent for e in above if e.dependent in self.wanted)
                inside = live.children.get(change.address, ())
                yield from (o.address for o in inside if o.address in self.wanted)
        yield from self._needed_as_it_is(change.old)
        for edge in below:
            needed = self.wanted.get(edge.referenced)
            gone = isinstance(needed, Drop | Replace)
            if gone or (needed is not None and edge.types != CONTAINED):
                yield edge.referenced

    @cached_property
    def _needed_by(self) -> Mapping[Address, list[Address]]:
        """What is to be and needs others although `pg_depend` does not say so, by what it needs."""
        found: dict[Address, list[Address]] = {}
        for change in self.wanted.values():
            if not isinstance(change, Drop):
                for needed in kind_of(change.new).needs(change.new, self.request.desired):
                    found.setdefault(needed, []).append(change.address)
        return found

    def _needed_as_it_is(self, old: Object) -> Iterator[Address]:
        needed = kind_of(old).needs(old, self.request.live)
        yield from (a for a in needed if isinstance(self.wanted.get(a), Drop | Replace))

    def _named_alike(self, kept: Set[Address]) -> list[Address]:
        """New objects that would have the names of those that stay."""
        live = self.request.live
        taken = {key for a in kept if a in live for key in kind_of(live[a]).names(live[a])}
        new = [c for a, c in self.wanted.items() if a not in kept and isinstance(c, Create | Replace)]
        return [c.address for c in new if not taken.isdisjoint(kind_of(c.new).names(c.new))]


def _less(request: Request, kept: Set[Address]) -> Snapshot:
    """The desired snapshot with what is kept as it is live."""
    live, desired = request.live, request.desired
    objects = {a: o for a, o in desired.objects.items() if a not in kept}
    objects.update({a: live[a] for a in kept if a in live})
    edges = (
        *(e for e in desired.edges if e.dependent not in kept),
        *(e for e in live.edges if e.dependent in kept),
    )
    among = tuple(e for e in edges if e.dependent in objects and e.referenced in objects)
    return replace(desired, objects=objects, edges=among)
