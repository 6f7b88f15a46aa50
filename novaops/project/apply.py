"""Applying a plan: what is checked before, while the lock is held, and afterwards."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from novaops.db.advisory_lock import Holder, advisory_lock
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.execution.apply import run
from novaops.planning.consents import consents
from novaops.planning.diff import diff
from novaops.planning.hazard_codes import with_consent
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.project.options import Outcome

if TYPE_CHECKING:
    from novaops.project.project import Project

SHOWN = 8
"""How many differences an error lists."""


def apply(
    project: Project,
    made: Plan,
    allow: Collection[str] | Mapping[str, str],
    *,
    rehearse: bool,
    lock_timeout: timedelta,
    lock_wait: timedelta,
) -> Outcome:
    """See `Project.apply`."""
    given = consents(allow)
    made = with_consent(made, given)
    _check_blocked(made)
    if not made.statements:
        return Outcome(0, 0.0)
    started = time.monotonic()

    def waiting(holder: Holder) -> None:
        project.reporter.waiting(f"another novaops is at work on {made.target.database}: {holder}")

    with advisory_lock(project.connection, wait=lock_wait, waiting=waiting):
        _check_unchanged(project, made)
        if rehearse and project.request is not None:
            made = with_consent(project.rehearse(made), {**project.request.allowed, **given})
            _check_rehearsal(project, made)
            _check_blocked(made)
        ran = run(project.connection, made, lock_timeout, project.reporter)
        left = _left(project)
    return Outcome(ran, time.monotonic() - started, left, made.rehearsal)


def _check_blocked(made: Plan) -> None:
    if made.blocked:
        hazards = ", ".join(h.consent for h in made.blocked)
        allow = " ".join(f"--allow {h.consent}" for h in made.blocked)
        raise RefusedError(
            f"not allowed: {hazards}; nothing was applied", hint=f"to go on: novaops apply {allow}"
        )


def _check_unchanged(project: Project, made: Plan) -> None:
    if project.target().place != made.target.place:
        raise TargetChangedError(
            f"the plan is for {made.target.database}, another database than the one connected to",
            hint="plan again for this database, or connect to the one that was planned for",
        )
    if live_fingerprint(project.inspect(), project.scope()) != made.source_fingerprint:
        raise TargetChangedError(
            f"{made.target.database} has changed since the plan was made; nothing was applied",
            hint="run `novaops plan` again and look at the difference",
        )


def _check_rehearsal(project: Project, made: Plan) -> None:
    verdict = made.rehearsal or {}
    if verdict.get("converges"):
        return
    if not verdict.get("faithful"):
        why = verdict.get("error") or _listed(verdict)
        project.reporter.note(f"not rehearsed: the copy differs from the live schema ({why})")
        return
    raise NovaopsError(
        "the rehearsal on a copy did not lead to what the files declare; nothing was applied",
        detail=str(verdict.get("error") or f"still different: {_listed(verdict)}"),
        hint="this is a defect of novaops: please report the plan (novaops plan --format json)",
    )


def _listed(verdict: Mapping[str, Any]) -> str:
    """The first of the differences that a rehearsal has left."""
    left = verdict["left"]
    more = f" and {len(left) - SHOWN:,} more" if len(left) > SHOWN else ""
    return ", ".join(left[:SHOWN]) + more


def _left(project: Project) -> tuple[str, ...]:
    request = project.request
    if request is None:
        return ()
    changes = diff(project.inspect(), request.desired, request.scope, request.comparison)
    return tuple(f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))
