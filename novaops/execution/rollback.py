"""Proves the way back: a plan and its reversal, one after the other, on one copy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.errors import NovaopsError
from novaops.execution.copy import Stage, as_live
from novaops.execution.pg_dump import Dump, PgDumpError, differences
from novaops.execution.rehearsal import Rehearsal
from novaops.execution.rehearse import Proof, copied, judged, names, tried
from novaops.execution.second_opinion import AGREES, DISAGREES
from novaops.planning.diff import diff
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.planning.rollback import EXACTLY
from novaops.planning.scope import EVERYTHING, Scope

WayBack = Callable[[Snapshot, psycopg.Connection[Any]], Plan]
"""Makes the plan back from a state, with a connection to a copy that is in that state."""


def rehearse_both(
    stage: Stage, plan: Plan, proof: Proof, way_back: WayBack, dump: Callable[[], Dump] | None
) -> tuple[Plan, Plan]:
    """The plan and the way back from it, both rehearsed; `dump` is what pg_dump says of the copy.

    Raises `NovaopsError` when one of the two does not lead where it should, or where the copy does not tell
    what the fingerprint of the live database will be, to which the way back is bound.
    """
    with stage.rehearsal():
        _check(copied(stage, proof))
        start = as_live(stage.snapshot(), proof.live, proof.comparison)
        if live_fingerprint(start, proof.scope) != live_fingerprint(proof.live, proof.scope):
            raise NovaopsError(
                "there is no way back to save: what the database will be cannot be told from a copy",
                detail=f"the copy differs in: {', '.join(names(diff(proof.live, start, EVERYTHING, EXACTLY)))}",
                hint="with --owners managed owners are copied as well",
            )
        dumped = _dumped(dump)
        there = tried(stage, plan, lambda: judged(stage, plan, proof))
        _check(Rehearsal.of(there.rehearsal))
        back = way_back(as_live(stage.snapshot(), proof.live, proof.comparison), stage.connection)
        back = tried(stage, back, lambda: _returned(stage, proof, dump, dumped))
        _check(Rehearsal.of(back.rehearsal))
    return there, back


def _returned(stage: Stage, proof: Proof, dump: Callable[[], Dump] | None, start: Dump | None) -> Rehearsal:
    """Whether the copy is what it was at the start."""
    found = as_live(stage.snapshot(), proof.live, proof.comparison)
    left = names(diff(found, proof.live, Scope(frozenset(), True, proof.scope.ignore), EXACTLY))
    told = Rehearsal(True, left, fingerprint=live_fingerprint(found, proof.scope))
    end = _dumped(dump)
    if left or start is None or end is None:
        return told
    unlike = tuple(map(str, differences(end, start)))
    return Rehearsal(True, unlike, fingerprint=told.fingerprint, pg_dump=DISAGREES if unlike else AGREES)


def _dumped(dump: Callable[[], Dump] | None) -> Dump | None:
    with suppress(PgDumpError):
        return dump() if dump is not None else None
    return None


def _check(verdict: Rehearsal | None) -> None:
    if verdict is None or (verdict.converges and not verdict.not_run):
        return
    raise NovaopsError(
        "there is no proven way back, and none was saved",
        detail=str(verdict),
        hint="without --rollback the plan can be saved and applied",
    )
