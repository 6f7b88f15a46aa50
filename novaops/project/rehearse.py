"""Rehearsing a plan: where the copy is made, and who is asked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.db.event_triggers import turn_off
from novaops.db.identifiers import quote_ident
from novaops.db.session_settings import set_time_zone
from novaops.desired.declare import declare
from novaops.desired.files import load
from novaops.errors import NovaopsError
from novaops.execution.copy import Stage, roles_in
from novaops.execution.pg_dump import Dump, dump, find
from novaops.execution.rehearsal import Rehearsal
from novaops.execution.rehearse import Proof, rehearse
from novaops.execution.rollback import rehearse_both
from novaops.execution.second_opinion import SecondOpinion
from novaops.planning.outages import Sizes, observed
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.planning.request import Request
from novaops.planning.rollback import way_back

if TYPE_CHECKING:
    from novaops.project.project import Project

Opinion = Callable[[psycopg.Connection[Any], Snapshot], tuple[str, tuple[str, ...]]]
LOCK_WAIT = "--lock-wait-timeout=2000"
"""Milliseconds that pg_dump may queue behind somebody's lock on the live database."""


def rehearse_plan(project: Project, made: Plan) -> Plan:
    """See `Project.rehearse`."""
    request = project.request
    with project.reporter.phase("rehearsing on a copy"), ExitStack() as stack:
        try:
            connection = stack.enter_context(project.shadow())
        except NovaopsError as error:
            return replace(made, rehearsal=Rehearsal(False, error=error.message).as_json())
        live = project.inspect() if request is None else request.live
        stage = _stage(project, connection, made, live)
        if request is None:
            return rehearse(stage, made, Proof(live, None, project.scope(), project.comparison()))
        second = stack.enter_context(_second_opinion(project, request, stage.commits))
        proof = Proof(request.live, request.desired, request.scope, request.comparison, second)
        seen = rehearse(stage, made, proof)
    return observed(seen, Sizes(project.connection), request.safe_below)


def rehearse_with_way_back(project: Project, made: Plan) -> tuple[Plan, Plan]:
    """See `Project.rollback`."""
    request = project.request
    if request is None:
        raise NovaopsError("there is no plan of this project to go back from", hint="call plan() first")
    if any(change.operation == "rename" for change in made.changes):
        raise NovaopsError(
            "there is no way back from a plan that renames: it would drop what has the new name",
            hint="rename in a plan of its own, and make the way back of the other one",
        )
    with project.reporter.phase("rehearsing both ways on a copy"), project.shadow() as connection:
        stage = _stage(project, connection, made, request.live)
        with _second_opinion(project, request, stage.commits) as second:
            command = find(connection.info.server_version // 10000) if stage.commits else None
            proof = Proof(request.live, request.desired, request.scope, request.comparison, second)
            return rehearse_both(
                stage,
                made,
                proof,
                lambda after, copy: way_back(
                    made, request.live, after, request.scope, copy, project.connection
                ),
                None if command is None else lambda: dump(command, connection),
            )


def _stage(project: Project, connection: psycopg.Connection[Any], made: Plan, live: Snapshot) -> Stage:
    """The stage for a plan; roles, which belong to the cluster, must not outlive a rehearsal."""
    if made.time_zone is not None:
        set_time_zone(connection, made.time_zone)
    if not project.options.event_triggers:
        turn_off(connection)
    makes_roles = any(statement.kind == "role" for statement in made.statements)
    there, here = _roles(project.connection), _roles(connection)
    named = roles_in(live)
    missing = tuple(r for r in sorted(there - here) if r in named or quote_ident(r) in named)
    return Stage(connection, project.disposable and not makes_roles and not missing, missing)


def _roles(connection: psycopg.Connection[Any]) -> set[str]:
    with connection.transaction():
        return {name for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}


@contextmanager
def _second_opinion(project: Project, request: Request, committed: bool) -> Iterator[Opinion]:
    """pg_dump's, whose half of the work begins at once."""
    command = find(project.connection.info.server_version // 10000)
    if command is None:
        yield _none("was not at hand")
    elif request.partial:
        yield _none("was not asked: a part of what the files declare is applied, and it reads all of it")
    elif not committed:
        yield _none("was not asked: it sees nothing of a transaction that is rolled back")
    else:
        with ThreadPoolExecutor(1) as pool:
            declared = pool.submit(_declared, project, request, command)
            yield SecondOpinion(
                command,
                declared.result,
                lambda: dump(command, project.connection, LOCK_WAIT),
                request.desired,
                request.scope,
                request.comparison.restored,
            )


def _none(why: str) -> Opinion:
    def say(_copy: psycopg.Connection[Any], _after: Snapshot) -> tuple[str, tuple[str, ...]]:
        return why, ()

    return say


def _declared(project: Project, request: Request, command: tuple[str, ...]) -> Dump:
    """pg_dump's words for what the files make of an empty database, which takes a database of their own."""
    found: list[Dump] = []

    @contextmanager
    def dumped() -> Iterator[psycopg.Connection[Any]]:
        with project.shadow() as connection:
            yield connection
            found.append(dump(command, connection))

    desired = declare(
        load(Path(project.file)),
        dumped,
        lambda made: project.elsewhere(request.live, made),
        lambda _: {},
        project.options.missing_roles,
        "off",
        disposable=True,
        commit=True,
        overlay=project.options.overlay,
    )
    if desired.uncommitted:
        raise NovaopsError(f"{desired.uncommitted[0]} changes more than the database, and is not committed")
    if live_fingerprint(desired.snapshot, request.scope) != live_fingerprint(request.desired, request.scope):
        raise NovaopsError(f"{project.file} does not declare any more what it did when the plan was made")
    return found[-1]
