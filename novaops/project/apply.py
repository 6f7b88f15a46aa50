"""Applying a plan: what is checked before, while the lock is held, and afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING

from novaops.db.advisory_lock import Holder, advisory_lock
from novaops.errors import NovaopsError, RefusedError, TargetChangedError, UsageError
from novaops.execution.apply import run
from novaops.execution.rehearsal import Rehearsal
from novaops.planning.diff import diff
from novaops.planning.hazard_codes import consent, with_consent
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.project.options import Outcome

if TYPE_CHECKING:
    from novaops.project.project import Project

NO_REHEARSAL = "--shadow URL names an empty database where a copy can be made"


def apply(
    project: Project,
    made: Plan,
    allow: Collection[str],
    *,
    rehearse: bool,
    lock_timeout: timedelta,
    lock_wait: timedelta,
    unproven: Callable[[str], bool],
) -> Outcome:
    """See `Project.apply`."""
    made = with_consent(made, frozenset(consent(text) for text in allow))
    _check_blocked(made)
    if not made.statements:
        return Outcome(0, 0.0)
    started = time.monotonic()

    def waiting(holder: Holder) -> None:
        project.reporter.waiting(f"another novaops is at work on {made.target.database}: {holder}")

    with advisory_lock(project.connection, wait=lock_wait, waiting=waiting):
        _check_unchanged(project, made)
        if rehearse:
            made = project.rehearse(made)
            _check_rehearsal(project, Rehearsal.of(made.rehearsal), unproven)
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


def _check_rehearsal(project: Project, verdict: Rehearsal, unproven: Callable[[str], bool]) -> None:
    if verdict.failed:
        raise NovaopsError(
            "the rehearsal on a copy did not lead to what the files declare; nothing was applied",
            detail=str(verdict),
            hint="this is a defect of novaops: please report the plan (novaops plan --format json)",
        )
    if not verdict.faithful and not unproven(str(verdict)):
        raise UsageError(
            "the plan could not be tried on a copy; nothing was applied",
            detail=str(verdict),
            hint=f"{NO_REHEARSAL}; novaops apply --no-rehearse goes on without",
        )
    project.reporter.note(str(verdict))


def _left(project: Project) -> tuple[str, ...]:
    request = project.request
    if request is None:
        return ()
    changes = diff(project.inspect(), request.desired, request.scope, request.comparison)
    return tuple(f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))
