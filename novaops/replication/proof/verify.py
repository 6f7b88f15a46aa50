"""The proof: every part is healthy, a barrier passes, all rows are equal, and a row is heard on the target."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from novaops.invocation import command_line
from novaops.progress import Reporter, Silent
from novaops.replication.declaration import Replication
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair
from novaops.replication.proof.barrier import Barrier, barrier
from novaops.replication.proof.compare import TableComparison, compare, in_order
from novaops.replication.proof.health import health, healthy
from novaops.replication.proof.sentinel import Sentinel, sentinels
from novaops.replication.proof.state import State
from novaops.replication.repairs.failed import explained

LIMIT = timedelta(seconds=30)
SLOW = 1.0
"""Seconds from the source to a listener of the target that are worth a word."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was seen. What could not be tried is None, and a finding says why."""

    replication: Replication
    state: State
    barrier: Barrier | None
    comparisons: tuple[TableComparison, ...]
    sentinels: tuple[Sentinel, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def proven(self) -> bool:
        """Whether rows arrive: nothing is worse than a note."""
        return healthy(self.findings)


def verify(
    pair: Pair, replication: Replication, reporter: Reporter | None = None, limit: timedelta = LIMIT
) -> Proof:
    """Prove that rows arrive, step by step; what comes after a step that fails is not tried.

    Raises `NovaopsError` where a role cannot read what has to be compared.
    """
    told = reporter or Silent()
    begun = time.monotonic()

    def proof(*findings: Finding, passed: Barrier | None = None,
              comparisons: tuple[TableComparison, ...] = (), heard: tuple[Sentinel, ...] = ()) -> Proof:  # fmt: skip
        seconds = time.monotonic() - begun
        return Proof(replication, state, passed, comparisons, heard, findings, seconds)

    with told.phase(f"looking at {replication.subscription}"):
        state, found = health(pair, replication)
    if not healthy(found):
        return proof(*explained(pair, replication, state, found))
    with told.phase("waiting for a barrier to pass"):
        passed = barrier(pair, replication, limit)
    if not passed.passed:
        state, found = health(pair, replication, samples=1)
        return proof(*found, _stuck(replication, passed), passed=passed)
    comparisons = compare(pair, replication, told)
    with told.phase("sending a row on its way"):
        heard = sentinels(pair, replication)
    if any(sentinel.heard is False for sentinel in heard):
        # The row itself may have stopped the worker: then that is what there is to say.
        state, found = health(pair, replication, samples=1)
    judged = [
        *explained(pair, replication, state, found),
        *_unequal(replication, comparisons),
        *_unheard(heard),
    ]
    return proof(*judged, passed=passed, comparisons=comparisons, heard=heard)


def _stuck(replication: Replication, passed: Barrier) -> Finding:
    return Finding(
        "barrier",
        "error",
        f"what {replication.source.database} has committed does not arrive: a barrier at {passed.lsn} has not "
        f"passed for {passed.seconds:.0f} s, {passed.missing or 0} bytes of WAL are missing",
        remedy=command_line("replicate status", *replication.options),
    )


def _unequal(replication: Replication, comparisons: tuple[TableComparison, ...]) -> Iterator[Finding]:
    for c in comparisons:
        if in_order(replication, c):
            continue
        if not c.key:
            text = (
                f"{c.source_rows} rows on the source, {c.target_rows} on the target, or their hashes differ"
            )
        elif c.missing or c.extra or c.different:
            text = f"{c.missing} are missing, {c.extra} are there too many, {c.different} are different"
        else:
            text = f"{c.unsettled} of them changed whenever they were looked at"
        yield Finding(
            "rows-differ",
            "error" if c.missing or c.extra or c.different or not c.key else "warning",
            f"the rows of {c.table} are not equal: {text}",
            remedy=command_line("replicate compare", "--repair", *replication.options),
        )


def _unheard(heard: tuple[Sentinel, ...]) -> Iterator[Finding]:
    for s in heard:
        if s.heard is None:
            yield Finding(
                "no-sentinel", "note", f"{s.table}: no row was sent for a listener to hear: {s.reason}"
            )
        elif not s.heard:
            yield Finding(
                "not-heard",
                "error",
                f"a row of {s.table} was applied, and no listener on {', '.join(s.channels)} heard of it",
                remedy=command_line("replicate triggers"),
            )
        elif (s.seconds or 0) > SLOW:
            yield Finding(
                "slow", "warning", f"a row of {s.table} was heard after {s.seconds:.1f} s; below 1 s is usual"
            )
