"""What turns one schema into another, wherever the two are: in a database, in files, or in a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from novaops.catalog.saved import SUFFIX, read_saved, write_one
from novaops.catalog.snapshot import Snapshot
from novaops.db.embedded import FOLDERS, EmbeddedServer, default_directory
from novaops.desired.build import Desired
from novaops.errors import NovaopsError
from novaops.ignore import Ignore
from novaops.kinds import registry
from novaops.planning.diff import Comparison
from novaops.planning.plan import Plan, Target
from novaops.planning.planner import plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.request import Request
from novaops.planning.scope import Scope
from novaops.progress import Reporter
from novaops.project import Options, Project

NOTHING = Snapshot({})


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its state, and where that is."""

    snapshot: Snapshot
    name: str
    target: Target
    connection: psycopg.Connection[Any] | None = None
    """Of a database, whose rows can be asked."""
    declared: Desired | None = None
    """Of files."""

    @property
    def major(self) -> int:
        return self.snapshot.version // 10_000


def compare(
    source: str, target: str, server: Mapping[str, str], options: Options, reporter: Reporter
) -> Plan:
    """The plan from `source` to `target`, each a URL, a .sql file or folder, or a snapshot (`dump --format json`).

    Files are executed on the server of the other side, or on `server` where that is no database. Without
    a database on either side, `Options.shadow` "embedded" needs no other server.
    Without a database at `source` there is no live data to look into, and every risk is a hazard.
    Raises `NovaopsError` for what cannot be read.
    """
    with ExitStack() as stack:
        if options.shadow == "embedded" and not is_url(source) and not is_url(target):
            server = stack.enter_context(_embedded(source, target))

        def side(place: str, other: str, options: Options, live: Snapshot) -> Side:
            if is_snapshot(place):
                return _saved(Path(place))
            at = place if is_url(place) else other if is_url(other) else server
            project = stack.enter_context(Project(at, place, options, reporter))
            return _database(project) if is_url(place) else _files(project, live)

        # Only what is to be must be in order.
        old = side(source, target, replace(options, check_functions="off"), NOTHING)
        new = side(target, source, options, old.snapshot)
        renamed = None if new.declared is None else new.declared.renamed
        request = Request(
            live=old.snapshot,
            desired=new.snapshot,
            scope=Scope.of(
                frozenset(options.schemas),
                options.scope == "database",
                Ignore.read(options.ignore_file, registry()),
                new.snapshot,
            ).with_earlier(renamed),
            comparison=Comparison(
                PrivilegeMode(options.privileges),
                options.owners == "managed",
                restored=new.declared is not None and new.declared.dumped,
            ),
            target=old.target,
            sources=new.declared.sources if new.declared else {},
            safe_below=options.safe_below,
            renamed=renamed,
        )
        return _described(plan(request, old.connection), old, new)


def is_url(place: str) -> bool:
    """Whether it names a database, and not a file or folder."""
    return place.startswith(("postgresql://", "postgres://"))


def is_snapshot(place: str) -> bool:
    """Whether it names the file of a snapshot."""
    return not is_url(place) and place.endswith(SUFFIX)


@contextmanager
def _embedded(source: str, target: str) -> Iterator[Mapping[str, str]]:
    """Yield the embedded server, of a snapshot's major version where there is such a one."""
    versions = [
        read_saved(Path(place))[0].version // 10_000 for place in (source, target) if is_snapshot(place)
    ]
    major = next((version for version in versions if version in FOLDERS), max(FOLDERS))
    with EmbeddedServer(default_directory(major), major).running() as embedded:
        yield {**embedded.complete_parameters(), "dbname": "postgres"}


def _database(project: Project) -> Side:
    found = project.target()
    return Side(
        project.inspect(), f"{found.database} on {found.host}:{found.port}", found, project.connection
    )


def _files(project: Project, live: Snapshot) -> Side:
    declared = project.desired(live)
    name = str(project.file)
    return Side(declared.snapshot, name, replace(project.target(), database=name), declared=declared)


def _saved(path: Path) -> Side:
    snapshot, database = read_saved(path)
    try:
        return Side(snapshot, str(path), Target(**database))
    except TypeError:
        raise NovaopsError(f"{path} does not say where it was read", hint=write_one()) from None


def _described(made: Plan, old: Side, new: Side) -> Plan:
    notices = list(made.notices)
    if old.major != new.major:
        notices.append(
            f"{old.name} is of PostgreSQL {old.major}, {new.name} of {new.major}: expressions may be written differently"
        )
    if new.declared is None:
        return replace(made, files=new.name, notices=tuple(notices))
    return replace(
        made,
        files=new.name,
        file_statements=new.declared.statements,
        shadow_seconds=new.declared.seconds,
        notices=(*notices, *(str(n) for n in new.declared.notices)),
    )
