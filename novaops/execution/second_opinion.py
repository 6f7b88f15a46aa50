"""Asks pg_dump, which knows nothing of our catalog, whether a plan has led where the files lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.errors import NovaopsError
from novaops.execution.pg_dump import Dump, Entry, PgDumpError, differences, dump
from novaops.kinds import registry
from novaops.planning.draft import outermost
from novaops.planning.faithful import read_again
from novaops.planning.scope import Scope

AGREES = "agrees"
DISAGREES = "disagrees"
# Whether pg_dump writes CREATE SCHEMA for it depends on who owns it, and nothing else.
PUBLIC = Entry("SCHEMA", "-", "public")

Name = tuple[str, str]
"""A schema, "-" outside of schemas, and what is in it."""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """pg_dump on the copy after the plan, and on the database that the files make of an empty one.

    `declared` waits for the latter; `live` dumps the live database, which is asked only where the two differ:
    an entry in which live and files agree is one that the copy has lost, and none that the plan misses. Where the
    files are `restored` from a dump, expressions are compared as our own comparison does (`Comparison.restored`).
    """

    command: tuple[str, ...]
    declared: Callable[[], Dump]
    live: Callable[[], Dump]
    desired: Snapshot
    scope: Scope
    restored: bool = False

    def __call__(self, copy: psycopg.Connection[Any], after: Snapshot) -> tuple[str, tuple[str, ...]]:
        """What it says in a word or two, and the entries that differ; `after` is the copy's snapshot."""
        try:
            found, wanted = dump(self.command, copy), self.declared()
            unlike = [e for e in differences(found, wanted) if not self._same(e, found, wanted)]
            known = _Known.of(after, self.desired, self.scope)
            unlike = [e for e in unlike if known.counts(e, e in found, e in wanted)]
            if unlike:
                live = self.live()
                unlike = [e for e in unlike if live.get(e) != wanted.get(e)]
        except PgDumpError as error:
            return f"could not say ({error.message})", ()
        except NovaopsError as error:
            return f"was not asked: {error.message}", ()
        except psycopg.Error as error:
            return f"could not say ({str(error).partition(chr(10))[0]})", ()
        return (DISAGREES, tuple(map(str, unlike))) if unlike else (AGREES, ())

    def _same(self, entry: Entry, found: Dump, wanted: Dump) -> bool:
        """Whether it says nothing, or the texts are what PostgreSQL makes of each other by reading them."""
        if entry == PUBLIC or not self.restored:
            return entry == PUBLIC
        one, other = ([[*map(read_again, text)] for text in dump.get(entry, ())] for dump in (found, wanted))
        return one == other


@dataclass(frozen=True, slots=True)
class _Known:
    """What our own comparison knows: names on both sides, and those `apart` that are ignored, or differ as was said."""

    here: Set[Name]
    there: Set[Name]
    apart: Set[Name]

    @classmethod
    def of(cls, after: Snapshot, desired: Snapshot, scope: Scope) -> _Known:
        return cls(_names(after), _names(desired), _apart(after, desired, scope))

    def counts(self, entry: Entry, found: bool, wanted: bool) -> bool:
        """Whether a difference is one, now that our own comparison has found none.

        What that knows on one side only is left alone on purpose: it is not managed.
        """
        # What lives in no schema has a say about what does: a table in a publication.
        about = {(schema, name) for schema in (entry.schema, "-") for name in subjects(entry.name)}
        if not about.isdisjoint(self.apart):
            return False
        here, there = about & self.here, about & self.there
        return (found and wanted) or (here == there and (wanted or bool(here)))


def subjects(tag: str) -> Iterator[str]:
    """The names that a tag may hold: "t c" for a constraint, "f(integer)", "COLUMN t.c", "c ON t"."""
    words = tag.split(" ")
    for first in range(len(words)):
        for text in accumulate(words[first:], lambda text, word: f"{text} {word}"):
            for part in (text, text.partition("(")[0], text.rpartition(".")[0], text.rpartition(".")[2]):
                yield part.strip('"')


def _names(snapshot: Snapshot) -> Set[Name]:
    return {(o.schema or "-", o.name) for o in snapshot if o.kind != "column"}


def _apart(after: Snapshot, desired: Snapshot, scope: Scope) -> Set[Name]:
    """What is ignored or kept, and what differs as the plan has said it would."""
    found = [
        (outermost(o, s), o)
        for s in (after, desired)
        for o in s
        if o.address in scope.kept or scope.excluded(o, s)
    ]
    for new in desired:
        old = after.objects.get(new.address)
        if old is not None and old.kind == new.kind and registry()[new.kind].beyond(old, new):
            found.append((outermost(new, desired), new))
    return {(o.schema or "-", o.name) for pair in found for o in pair}
