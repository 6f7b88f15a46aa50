"""Reads the two states of a project: the live one, and what the files declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.desired.bodies import unchanged_in
from novaops.desired.body_findings import Body
from novaops.desired.build import Desired
from novaops.desired.declare import Shadow, declare
from novaops.desired.extensions import Provider, provider
from novaops.desired.files import Script, load
from novaops.desired.renamed import Renaming
from novaops.kinds import registry
from novaops.project.renames import renaming

if TYPE_CHECKING:
    from novaops.project.project import Project


def live_state(connection: psycopg.Connection[Any]) -> Snapshot:
    """Read the database in one snapshot of its own."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return read(connection, list(registry().values()))


def declared_state(project: Project, live: Snapshot) -> Desired:
    """Build what the files declare in a shadow, and read it back."""
    script = load(Path(project.file))
    asked = _renaming(project, script, lambda: live) if live.objects else None
    with project.reporter.phase(f"building {project.file} in a shadow"):
        return _declared(project, script, project.shadow, lambda: live, asked)


def both_states(project: Project) -> tuple[Snapshot, Desired]:
    """Read the live and the declared state at the same time: most of it is waiting for the server."""
    script = load(Path(project.file))
    asked = _renaming(project, script, lambda: reading[0].result())
    reading: list[Future[Snapshot]] = []

    @contextmanager
    def shadow_while_reading() -> Iterator[psycopg.Connection[Any]]:
        with project.shadow() as connection:
            # Making the shadow asks the target; from here on only one of the two needs it.
            if not reading:
                reading.append(pool.submit(live_state, project.connection))
            yield connection

    with ThreadPoolExecutor(1) as pool, project.reporter.phase(f"building {project.file} in a shadow"):
        desired = _declared(project, script, shadow_while_reading, lambda: reading[0].result(), asked)
        return reading[0].result(), desired


def _declared(
    project: Project, script: Script, shadow: Shadow, live: Callable[[], Snapshot], asked: Renaming | None
) -> Desired:
    """Build the files; `live` returns the live state, and nobody uses the connection to the target any more then."""

    def unchanged(bodies: Sequence[Body]) -> Mapping[str, bool]:
        return unchanged_in(project.connection, bodies) if live().objects else {}

    def providers(name: str) -> Provider | None:
        live()
        return provider(project.connection, name)

    return declare(
        script,
        shadow,
        lambda made: project.elsewhere(live(), made),
        unchanged,
        project.options.missing_roles,
        project.options.check_functions,
        disposable=project.disposable,
        overlay=project.options.overlay,
        renaming=asked,
        providers=providers,
    )


def _renaming(project: Project, script: Script, live: Callable[[], Snapshot]) -> Renaming:
    return renaming(script, project.renames, live, project.scope().excluded)
