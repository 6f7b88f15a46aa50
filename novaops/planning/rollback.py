"""The way back: the plan from what another plan leads to, to what there was before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.planning.changes import Alter, Drop
from novaops.planning.diff import Comparison
from novaops.planning.hazards import Assessment
from novaops.planning.nodes import kind_of
from novaops.planning.plan import Guard, Plan
from novaops.planning.planner import Assessed, assessed, written_plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.request import Request
from novaops.planning.scope import Scope

EXACTLY = Comparison(PrivilegeMode.MANAGED, owners=True)
LOST = frozenset({"data-loss", "narrowing"})


def way_back(
    made: Plan, before: Snapshot, after: Snapshot, scope: Scope, copy: psycopg.Connection[Any],
    live: psycopg.Connection[Any],
) -> Plan:  # fmt: skip
    """The plan from `after` to `before`, the states on both sides of `made`.

    Whatever `made` has changed is changed back, also what the files manage only where they declare it. `copy` is
    asked what would be lost: it holds no rows, so every loss becomes a question to the live data when the
    way back is taken. `live` tells which tables are not to be kept from others.
    """
    request = Request(
        live=after,
        desired=before,
        scope=Scope(frozenset(), whole=True, ignore=scope.ignore),
        comparison=EXACTLY,
        target=made.target,
    )
    found = assessed(request, copy, live)
    back = written_plan(request, replace(found, assessment=_with_refusals(found)))
    lost = dict.fromkeys(h for change in made.changes for h in change.hazards if h.hazard in LOST)
    notices = tuple(f"{h.object} does not come back as it was: {h.message}" for h in lost)
    return replace(
        back,
        notices=(*notices, *back.notices),
        files="what it was before",
        options=made.options,
        way_back=True,
    )


def _with_refusals(found: Assessed) -> Assessment:
    """Return the assessment with guards for the rows that PostgreSQL would refuse.

    None of them is there yet: the copy is empty, and rows come until the way back is taken.
    """
    guards = dict(found.assessment.guards)
    for address, change in found.draft.changes.items():
        if isinstance(change, Drop) or (isinstance(change, Alter) and not change.changed):
            continue
        risks = kind_of(change.new).obstacles(change.new, found.draft.scene)
        refused = [
            Guard(r.hazard, r.subject, r.exists, refused=True, query=r.query)
            for r in risks
            if r.exists is not None
        ]
        if refused:
            guards[address] = (*guards.get(address, ()), *refused)
    return replace(found.assessment, guards=guards)
