"""Whether the rows on both sides are equal, and which are not.

The table is read in ranges of its key on both sides at once, each as a count and a sum of hashes. Equal sums in
every range mean equal rows, whatever each side's collation makes of the order. In a range that differs the
versions of the single rows are read. Some of those differ only because changes were under way, so what
differs is looked at again behind a barrier: a row whose version on the source is still the same, and which
the target still has not, is really different. In two directions the same goes for the target's row, and a
barrier on the way back. No transaction is open longer than one range takes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Literal, TypeVar

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.progress import Reporter, Silent
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.pair import Pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.proof.rows import Key, Range, Rows, Shape, Version, filtered, reader, shape

CHUNK = 20_000
"""Rows of a range."""
ROUNDS = 6
"""How often rows that change meanwhile are looked at again."""
SHOWN = 20
"""Differing keys of each kind that a comparison keeps."""
LIMIT = timedelta(seconds=30)

Kind = Literal["missing", "extra", "different"]
Seen = tuple[Version | None, Version | None]
"""The versions of a row on the source and on the target."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the target lacks ("missing"), has alone ("extra"), or has otherwise ("different")."""

    kind: Kind
    key: Key
    source: Version | None = field(compare=False, repr=False)
    """What the source has, as it was before and after a barrier."""
    target: Version | None = field(default=None, compare=False, repr=False)
    """What the target had after it; outside of the row filter, too."""


@dataclass(frozen=True, slots=True)
class TableComparison:
    """What came of a table."""

    table: ReplicatedTable
    key: tuple[str, ...]
    """The key's columns; empty where there is none, and only count and hash of the whole were compared."""
    source_rows: int
    target_rows: int
    missing: int = 0
    extra: int = 0
    different: int = 0
    shown: tuple[Difference, ...] = ()
    """The first of each kind."""
    unsettled: int = 0
    """Rows that changed each time that they were looked at."""
    repaired: int = 0
    equal: bool = True
    seconds: float = 0.0


Repair = Callable[[Rows, Rows, Sequence[Difference]], int]
"""Make the target's rows those of the source; returns how many it has."""


def compare(
    pair: Pair,
    replication: Replication,
    reporter: Reporter | None = None,
    *,
    repair: Repair | None = None,
    chunk: int = CHUNK,
    under_way: bool = True,
) -> tuple[TableComparison, ...]:
    """Compare every table; with `repair`, differing rows are handed to it.

    Without rows `under_way`, because replication stands still, no barrier is waited for. Raises `NovaopsError` where a role cannot read all rows, or a table lacks replicated columns.
    """
    told = reporter or Silent()
    with (
        reader(pair.source.endpoint) as source,
        reader(pair.target.endpoint) as target,
        ThreadPoolExecutor(1) as pool,
    ):
        found = []
        for table in replication.tables:
            with told.phase(f"comparing {table}"):
                # What is replicated, and by which key, the source decides.
                seen = shape(source, table)
                whole = Rows(target, seen, filtered=False)
                comparison = _Comparison(
                    pair, replication, Rows(source, seen), filtered(target, seen), whole, pool, told, repair, chunk, under_way
                )  # fmt: skip
                found.append(comparison.run())
    return tuple(found)


@dataclass
class _Comparison:
    """One table while it is compared."""

    pair: Pair
    replication: Replication
    source: Rows
    target: Rows
    whole: Rows
    """The target's, without the row filter: a row outside of it is in the way of one that comes with its key."""
    pool: ThreadPoolExecutor
    reporter: Reporter
    repair: Repair | None
    chunk: int
    under_way: bool

    def run(self) -> TableComparison:
        begun = time.monotonic()
        seen = self.source.shape
        result = TableComparison(seen.table, tuple(column.name for column in seen.key), 0, 0)
        if not seen.key:
            return replace(self._whole(result), seconds=time.monotonic() - begun)
        expected = self.source.estimate()
        for part, ours, theirs in self._ranges(Range()):
            result = replace(result, source_rows=result.source_rows + ours[0])
            if expected:
                self.reporter.progress(f"{result.source_rows} rows", min(result.source_rows / expected, 1.0))
            before = result.extra - result.missing
            if ours != theirs:
                result = self._closer(part, result)
            # What the target had at the first look may have been on its way out.
            there = ours[0] + (result.extra - result.missing) - before
            result = replace(result, target_rows=result.target_rows + there)
        equal = not (result.missing or result.extra or result.different) and not result.unsettled
        return replace(result, equal=equal or self._all_repaired(result), seconds=time.monotonic() - begun)

    def _all_repaired(self, result: TableComparison) -> bool:
        return (
            self.repair is not None
            and not result.unsettled
            and result.repaired == result.missing + result.extra + result.different
        )

    def _whole(self, result: TableComparison) -> TableComparison:
        """Without a key: count and hash, behind a barrier if they differ at first."""
        if self.repair is not None:
            raise NovaopsError(
                f"{result.table} has no key, so single rows of it cannot be repaired",
                hint=f"ALTER TABLE {result.table.qualified} ADD PRIMARY KEY (…) on both sides",
            )
        for _ in range(ROUNDS):
            ours, theirs = self._both(lambda rows: rows.sum(Range()))
            if ours == theirs:
                break
            if self.under_way:
                barrier(self.pair, self.replication, LIMIT)
        return replace(result, source_rows=ours[0], target_rows=theirs[0], equal=ours == theirs)

    def _ranges(self, whole: Range) -> Iterator[tuple[Range, tuple[int, int], tuple[int, int]]]:
        """Ranges of about `chunk` rows that together are the whole, with the sums of both sides."""
        low = whole.low
        while True:
            high = self.source.boundary(Range(low, whole.high), self.chunk)
            part = Range(low, high or whole.high)
            ours, theirs = self._both(partial(Rows.sum, part=part))
            if ours != theirs and theirs[0] > 2 * self.chunk:
                yield from self._halves(part)
            else:
                yield part, ours, theirs
            if high is None:
                return
            low = high

    def _halves(self, part: Range) -> Iterator[tuple[Range, tuple[int, int], tuple[int, int]]]:
        """A range in which the target has too many rows to hold, cut by the target's keys."""
        low = part.low
        while True:
            high = self.target.boundary(Range(low, part.high), self.chunk)
            smaller = Range(low, high or part.high)
            ours, theirs = self._both(partial(Rows.sum, part=smaller))
            yield smaller, ours, theirs
            if high is None:
                return
            low = high

    def _both(self, read: Callable[[Rows], T]) -> tuple[T, T]:
        """Ask both sides at once."""
        ours = self.pool.submit(read, self.source)
        theirs = read(self.target)
        return ours.result(), theirs

    def _closer(self, part: Range, result: TableComparison) -> TableComparison:
        """Look at the rows of a range that differs."""
        ours, theirs = self._both(lambda rows: rows.versions(part))
        candidates = _differing(ours, theirs)
        real: list[Difference] = []
        for _ in range(ROUNDS):
            if not candidates:
                break
            settled, candidates = self._behind_barrier(candidates)
            real += settled
        repaired = self.repair(self.source, self.whole, real) if self.repair and real else 0
        counts = {
            kind: getattr(result, kind) + sum(d.kind == kind for d in real)
            for kind in ("missing", "extra", "different")
        }
        return replace(
            result,
            **counts,
            shown=_first([*result.shown, *real]),
            unsettled=result.unsettled + len(candidates),
            repaired=result.repaired + repaired,
        )

    def _behind_barrier(self, candidates: Mapping[Key, Seen]) -> tuple[list[Difference], dict[Key, Seen]]:
        """Those that are really different, and those that have changed again on a side that sends rows."""
        if self.under_way:
            _pass_barrier(self.pair, self.replication)
            if self.replication.direction == "both":
                _pass_barrier(self.pair.reversed(), self.replication.reversed())
        keys = list(candidates)
        reading = self.pool.submit(self.source.versions_of, keys)
        theirs = self.whole.versions_of(keys)
        ours = reading.result()
        real: list[Difference] = []
        again: dict[Key, Seen] = {}
        for key in keys:
            here, there = now = ours.get(key), theirs.get(key)
            if (here and here.hash) == (there and there.hash):
                continue
            if self._settled(candidates[key], now):
                real.append(Difference(_kind(here, there), key, here, there))
            else:
                again[key] = now
        return real, again

    def _settled(self, before: Seen, now: Seen) -> bool:
        return before == now if self.replication.direction == "both" else before[0] == now[0]


def _pass_barrier(pair: Pair, replication: Replication) -> None:
    """Wait until what is under way has come; where there is no slot, nothing is."""
    passed = barrier(pair, replication, LIMIT)
    if passed.missing is not None and not passed.passed:
        raise NovaopsError(
            f"{replication.target.database} does not come on: a barrier has not passed for "
            f"{LIMIT.total_seconds():.0f} s",
            detail=f"{passed.missing} bytes of WAL are still to be applied; rows under way cannot be told from "
            "rows that are missing",
            hint=command_line("replicate status", *replication.options),
        )


def in_order(replication: Replication, compared: TableComparison) -> bool:
    """Whether this direction leaves nothing to do: in two a row that the target has alone is the other one's matter."""
    if compared.equal or replication.direction == "one-way":
        return compared.equal
    wrong = compared.missing + compared.different
    return bool(compared.key) and not compared.unsettled and compared.repaired == wrong


def told_apart(shape: Shape, ours: Mapping[Key, Version], theirs: Mapping[Key, Version]) -> TableComparison:
    """What of these rows is missing, too many or different as they are now, with nothing under way."""
    found = [Difference(_kind(*seen), key, *seen) for key, seen in _differing(ours, theirs).items()]
    count = Counter(each.kind for each in found)
    return TableComparison(
        shape.table,
        tuple(column.name for column in shape.key),
        len(ours),
        len(theirs),
        count["missing"],
        count["extra"],
        count["different"],
        _first(found),
        equal=not found,
    )


def _first(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The first of each kind."""
    count: Counter[Kind] = Counter()
    kept = []
    for each in differences:
        count[each.kind] += 1
        if count[each.kind] <= SHOWN:
            kept.append(each)
    return tuple(kept)


def _differing(ours: Mapping[Key, Version], theirs: Mapping[Key, Version]) -> dict[Key, Seen]:
    """Keys whose rows are not equal, with what each side has."""
    return {
        key: (ours.get(key), theirs.get(key))
        for key in dict.fromkeys([*ours, *theirs])
        if key not in ours or key not in theirs or ours[key].hash != theirs[key].hash
    }


def _kind(ours: Version | None, theirs: Version | None) -> Kind:
    return "missing" if theirs is None else "extra" if ours is None else "different"
