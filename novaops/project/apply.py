"""Applying a plan: what is checked before, while the lock is held, and afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from novaops.catalog.address import Address
from novaops.db.event_triggers import turn_off
from novaops.db.identifiers import quote_ident
from novaops.errors import NovaopsError, RefusedError, TargetChangedError, UsageError
from novaops.execution.apply import Tally, run
from novaops.execution.history import Run
from novaops.execution.invalid_index import check_no_build
from novaops.execution.journal import Journal
from novaops.execution.rehearsal import Rehearsal
from novaops.execution.resume import resumable
from novaops.execution.stamp import stamp
from novaops.invocation import command_line
from novaops.planning.consents import with_reasons
from novaops.planning.diff import diff
from novaops.planning.hazard_codes import REFUSED_BY_ROWS, with_consent
from novaops.planning.origin import digest
from novaops.planning.ownership import lacking
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.project.options import Outcome
from novaops.project.pre_migrations.around import Around, check_certain
from novaops.project.recording import alone, recording, reporting, settle
from novaops.project.undeclared import declared_by, declared_by_saved

if TYPE_CHECKING:
    from novaops.project.project import Project

NO_REHEARSAL = "--shadow URL names an empty database where a copy can be made"


def apply(
    project: Project,
    made: Plan,
    allow: Collection[str] | Mapping[str, str],
    *,
    rehearse: bool,
    lock_timeout: timedelta,
    lock_wait: timedelta,
    unproven: Callable[[str], bool],
) -> Outcome:
    """See `Project.apply`."""
    given = with_reasons(allow)
    made = with_consent(made, given)
    check_certain(made, project.ahead.prediction if project.ahead else None)
    _check_blocked(made)
    if not made.todo:
        settle(project)
        return Outcome(0, 0.0)
    started = time.monotonic()
    tally = Tally()
    with reporting(project, made, tally), alone(project, lock_wait), recording(project) as journal:
        _check_place(project, made)
        if not project.options.event_triggers:
            turn_off(project.connection)
        seen = stamp(project.connection)
        resumed = _resumed(project, made) if project.options.journal else None
        files = Around(project, made, lock_timeout, begun=resumed is not None)
        if resumed is None:
            _check_unchanged(project, made, files.fingerprint)
        files.check()
        check_no_build(project.connection, made)
        _check_ownership(project, made)
        _check_roles(project, made)
        # A plan that is run again was rehearsed for what was there when it was made.
        if rehearse and (resumed is None or made.continues) and _has_a_start(project, made):
            made = with_consent(project.rehearse(made), {**made.consents, **given})
            _check_rehearsal(project, Rehearsal.of(made.rehearsal), unproven)
            _check_blocked(made)
        # A rehearsal takes its time, and somebody may have worked on the database meanwhile.
        if stamp(project.connection) != seen:
            _check_unchanged(project, made, None if resumed else files.fingerprint)
        tally.begun, tally.committed = True, _committed(resumed, made)
        files.before()
        with files.telling():
            ran = _run(project, made, lock_timeout, journal, resumed, tally)
            files.after()
        left = _afterwards(project, made, journal)
    seconds = time.monotonic() - started
    compared = project.request is not None
    return Outcome(ran, seconds, left, made.rehearsal, journal.run, tuple(files.ran), compared)


def _has_a_start(project: Project, made: Plan) -> bool:
    """Whether it is known what the statements start from; a saved plan does not tell what its files leave."""
    if project.request is not None or not made.running:
        return True
    project.reporter.note("not rehearsed: the plan was saved, and starts from what its pre-migrations leave")
    return False


def _run(
    project: Project,
    made: Plan,
    lock_timeout: timedelta,
    journal: Journal,
    resumed: Run | None,
    tally: Tally,
) -> int:
    """Run the statements; pre-migrations alone are in their ledger, not in the journal."""
    if not made.statements:
        return 0
    journal.begin(made, resumed)
    return run(project.connection, made, lock_timeout, project.reporter, journal, tally.committed, tally)


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
    if not made.blocked:
        return
    mend = [h for h in made.blocked if h.hazard in REFUSED_BY_ROWS]
    names = list(dict.fromkeys(h.consent for h in made.blocked))
    allow = [word for h in made.blocked if h not in mend for word in ("--allow", h.consent)]
    command = command_line("apply", *allow)
    raise RefusedError(
        f"not allowed: {', '.join(names)}; nothing was applied",
        detail="\n".join(f"the rows: {h.query};" for h in mend if h.query) or None,
        hint=f"fix the rows that PostgreSQL would refuse, then: {command}"
        if mend
        else f"to go on: {command}",
    )


def _check_place(project: Project, made: Plan) -> None:
    if project.target().place != made.target.place:
        raise TargetChangedError(
            f"the plan is for {made.target.database}, another database than the one connected to",
            hint="plan again for this database, or connect to the one that was planned for",
        )


def _check_unchanged(project: Project, made: Plan, fingerprint: str | None) -> None:
    """Look whether the live schema has the fingerprint; None is that of no schema."""
    if fingerprint is None or live_fingerprint(project.inspect(), project.scope()) != fingerprint:
        raise TargetChangedError(
            f"{made.target.database} has changed since the plan was made; nothing was applied",
            hint=f"run `{command_line('plan', *_files(project, made))}` again and look at the difference",
        )


def _files(project: Project, made: Plan) -> tuple[str, ...]:
    """The option that names the files of a saved plan: it was not given to the call that applies it."""
    return () if project.request is not None else ("--file", made.files)


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
        f" GRANT {names} TO {quote_ident(role)}, or {command_line('apply', '--user', roles[0])}",
    )


def _check_roles(project: Project, made: Plan) -> None:
    """Roles that the statements name are there; those that the files make by themselves no plan makes."""
    made_by_files = project.request.passing_roles if project.request else ()
    named = [r for r in made_by_files if any(quote_ident(r) in s.sql for s in made.statements)]
    query = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)"
    there = {name for (name,) in project.connection.execute(query, [named])} if named else set()
    missing = [role for role in named if role not in there]
    if missing:
        names = ", ".join(quote_ident(role) for role in missing)
        raise NovaopsError(
            f"the plan needs {names}, which the server lacks; nothing was applied",
            detail="a statement of the files makes it, and roles belong to the whole server: no plan runs that",
            hint="; ".join(f"CREATE ROLE {quote_ident(role)}" for role in missing)
            + f" and apply again; or {command_line('apply', '--missing-roles', 'create')}",
        )


def _check_rehearsal(project: Project, verdict: Rehearsal, unproven: Callable[[str], bool]) -> None:
    if verdict.failed:
        raise not_led_there(verdict)
    if not verdict.faithful and not unproven(str(verdict)):
        raise UsageError(
            "the plan could not be tried on a copy; nothing was applied",
            detail=str(verdict),
            hint=f"{NO_REHEARSAL}; {command_line('apply', '--no-rehearse')} goes on without",
        )
    project.reporter.note(str(verdict))


def not_led_there(verdict: Rehearsal) -> NovaopsError:
    """The error for a rehearsal that failed: PostgreSQL has refused a statement, or the plan leads elsewhere."""
    if verdict.error is not None:
        return NovaopsError(
            "PostgreSQL refused a statement of the plan on a copy of the schema; nothing was applied",
            detail=str(verdict),
            hint="change what the files declare where PostgreSQL objects to it; or make the change by hand"
            f" ({command_line('plan', '--format', 'sql')}) and plan again; if you find the statement wrong, please report"
            f" the plan ({command_line('plan', '--format', 'json')})",
        )
    return NovaopsError(
        "the rehearsal on a copy did not lead to what the files declare; nothing was applied",
        detail=str(verdict),
        hint=f"this is a defect of novaops: please report the plan ({command_line('plan', '--format', 'json')}); to go on,"
        f" make what differs by hand ({command_line('plan', '--format', 'sql')}) and plan again, or leave it alone by an"
        f" entry in .pgschemaignore; {command_line('apply', '--no-rehearse')} applies the plan as it is, and leaves it"
        " different",
    )


def _afterwards(project: Project, made: Plan, journal: Journal) -> tuple[str, ...]:
    """What is different still, and how it is now told to the journal."""
    request = project.request
    if request is None and journal.run is None:
        return ()
    live = project.inspect()
    scope = project.scope()
    if request is None:
        journal.end("applied", state=digest(live, scope, declared_by_saved(made, scope)))
        return ()
    state = digest(live, scope, declared_by(request))
    left = tuple(_named(diff(live, request.desired, request.scope, request.comparison)))
    journal.end("differs" if left else "converged", state=None if left else state)
    return left


def _named(changes: Iterable[Address]) -> Iterator[str]:
    return (f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))
