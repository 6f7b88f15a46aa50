"""What a project knows of earlier declarations, and the undeclared objects of its database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.execution.history import created_since, last_state
from novaops.planning.origin import last_applied
from novaops.planning.plan import Plan
from novaops.planning.request import Request
from novaops.planning.scope import Scope
from novaops.planning.undeclared import Record, UndeclaredMode, undeclared

if TYPE_CHECKING:
    from novaops.project.pre_migrations.ahead import Ahead
    from novaops.project.project import Project


def record(project: Project, found: Ahead, agreed: Iterable[str]) -> Record:
    """Read what the journal knows of earlier declarations; pending pre-migrations act for novaops as well.

    `agreed` are the consents of `renames.json`, which lists columns that are to go.
    """
    state = last_state(project.connection)
    last = None if state is None else last_applied(*state)
    created = created_since(project.connection, 0 if last is None else last.run)
    prepared = found.prediction.snapshot.objects.keys() - found.live.objects.keys()
    listed = frozenset(consent.partition(":")[2] for consent in agreed)
    return Record(last, created, frozenset(prepared), listed)


def with_undeclared(request: Request, known: Record, mode: str) -> Request:
    """Return the request with the undeclared objects of its live side, and a scope that keeps those that stay."""
    found = undeclared(
        *(request.live, request.goal, request.scope, request.comparison),
        *(known, UndeclaredMode(mode), request.allowed),
    )
    return replace(request, undeclared=found, scope=replace(request.scope, kept=found.kept))


def declared_by(request: Request) -> Callable[[Object], bool]:
    """Return what tells the objects that the files of a request declare."""
    return lambda obj: obj.address in request.desired and obj.address not in request.undeclared.objects


def declared_by_saved(made: Plan, scope: Scope) -> Callable[[Object], bool]:
    """Return what tells the objects that the files of a saved plan declared, when it has run.

    They are all that it manages and has left, but for what the plan names as undeclared.
    """
    schemas = made.options.get("schemas")
    names = frozenset(map(str, schemas)) if isinstance(schemas, list | tuple) else frozenset[str]()
    managed = Scope.of(names, made.options.get("scope") == "database", scope.ignore, Snapshot({}))
    kept = frozenset(made.undeclared)
    return lambda obj: managed.manages(obj) and obj.identity not in kept
