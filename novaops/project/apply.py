"""Applying a plan: what is checked before, while the lock is held, and afterwards."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from novaops.catalog.address import Address
from novaops.db.identifiers import quote_ident
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.execution.apply import run
from novaops.execution.history import Run
from novaops.execution.invalid_index import check_no_build
from novaops.execution.journal import Journal
from novaops.execution.resume import resumable
from novaops.planning.consents import with_reasons
from novaops.planning.diff import diff
from novaops.planning.hazard_codes import with_consent
from novaops.planning.origin import digest
from novaops.planning.ownership import lacking
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.project.options import Outcome
from novaops.project.recording import alone, recording, settle

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
    given = with_reasons(allow)
    made = with_consent(made, given)
    _check_blocked(made)
    if not made.statements:
        settle(project)
        return Outcome(0, 0.0)
    started = time.monotonic()
    with alone(project, lock_wait), recording(project) as journal:
        _check_place(project, made)
        resumed = _resumed(project, made) if project.options.journal else None
        if resumed is None:
            _check_unchanged(project, made)
        check_no_build(project.connection, made)
        _check_ownership(project, made)
        # A plan that is run again was rehearsed for what was there when it was made.
        if rehearse and project.request is not None and (resumed is None or made.continues):
            made = with_consent(project.rehearse(made), {**project.request.allowed, **given})
            _check_rehearsal(project, made)
            _check_blocked(made)
        journal.begin(made, resumed)
        ran = run(
            project.connection, made, lock_timeout, project.reporter, journal, _committed(resumed, made)
        )
        left = _afterwards(project, journal)
    return Outcome(ran, time.monotonic() - started, left, made.rehearsal, journal.run)


def _committed(resumed: Run | None, made: Plan) -> int:
    """How many of the plan's statements were committed before."""
    return resumed.done + len(made.statements) - resumed.statements if resumed else 0


def _resumed(project: Project, made: Plan) -> Run | None:
    """The run that this plan goes on with."""
    run = resumable(project.connection, made)
    if run is not None:
        project.reporter.note(
            f"going on with history {run.run}: {run.done} of its {run.statements} statements were committed,"
            " and nothing has changed since"
        )
    return run


def _check_blocked(made: Plan) -> None:
    if made.blocked:
        hazards = ", ".join(h.consent for h in made.blocked)
        allow = " ".join(f"--allow {h.consent}" for h in made.blocked)
        raise RefusedError(
            f"not allowed: {hazards}; nothing was applied", hint=f"to go on: novaops apply {allow}"
        )


def _check_place(project: Project, made: Plan) -> None:
    if project.target().place != made.target.place:
        raise TargetChangedError(
            f"the plan is for {made.target.database}, another database than the one connected to",
            hint="plan again for this database, or connect to the one that was planned for",
        )


def _check_unchanged(project: Project, made: Plan) -> None:
    if live_fingerprint(project.inspect(), project.scope()) != made.source_fingerprint:
        raise TargetChangedError(
            f"{made.target.database} has changed since the plan was made; nothing was applied",
            hint="run `novaops plan` again and look at the difference",
        )


def _check_ownership(project: Project, made: Plan) -> None:
    missing = lacking(project.connection, made)
    if not missing:
        return
    role = project.connection.info.user
    roles = sorted({owned.roles[0] for owned in missing})
    names = ", ".join(quote_ident(name) for name in roles)
    raise NovaopsError(
        f"{role} may not change what belongs to {names}; nothing was applied",
        detail="\n".join(f"{owned.object} belongs to {quote_ident(owned.roles[0])}" for owned in missing),
        hint=f"apply as a member of {'both' if len(roles) == 2 else 'all of them' if roles[1:] else names}:"
        f" GRANT {names} TO {quote_ident(role)}, or novaops apply --user {roles[0]}",
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


def _afterwards(project: Project, journal: Journal) -> tuple[str, ...]:
    """What is different still, and how it is now told to the journal."""
    request = project.request
    if request is None and journal.run is None:
        return ()
    live = project.inspect()
    state = digest(live, project.scope())
    if request is None:
        journal.end("applied", state=state)
        return ()
    left = tuple(_named(diff(live, request.desired, request.scope, request.comparison)))
    journal.end("differs" if left else "converged", state=None if left else state)
    return left


def _named(changes: Iterable[Address]) -> Iterator[str]:
    return (f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))
