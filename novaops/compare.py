"""What turns one schema into another, wherever the two are: in a database or in files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from novaops.catalog.snapshot import Snapshot
from novaops.desired.build import Desired
from novaops.ignore import Ignore
from novaops.kinds import registry
from novaops.planning.diff import Comparison
from novaops.planning.plan import Plan
from novaops.planning.planner import Request, plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from novaops.progress import Reporter
from novaops.project import Options, Project

NOTHING = Snapshot({})


def compare(
    source: str, target: str, server: Mapping[str, str], options: Options, reporter: Reporter
) -> Plan:
    """The plan from `source` to `target`, each a URL, or a .sql file or folder.

    Files are executed on the server of the other side, or on `server` where both sides are files.
    Without a database at `source` there is no live data to look into, and every risk is a hazard.
    """
    with ExitStack() as stack:

        def project(place: str, other: str, options: Options) -> Project:
            at = place if is_url(place) else other if is_url(other) else server
            return stack.enter_context(Project(at, place, options, reporter))

        # Only what is to be must be in order.
        old = project(source, target, replace(options, check_functions="off"))
        new = project(target, source, options)
        live = old.inspect() if is_url(source) else old.desired(NOTHING).snapshot
        declared = None if is_url(target) else new.desired(live)
        wanted = new.inspect() if declared is None else declared.snapshot
        renamed = None if declared is None else declared.renamed
        request = Request(
            live=live,
            desired=wanted,
            scope=Scope.of(
                frozenset(options.schemas),
                options.scope == "database",
                Ignore.read(options.ignore_file, registry()),
                wanted,
            ).with_earlier(renamed),
            comparison=Comparison(
                PrivilegeMode(options.privileges),
                options.owners == "managed",
                restored=declared is not None and declared.dumped,
            ),
            target=old.target() if is_url(source) else replace(old.target(), database=source),
            sources=declared.sources if declared else {},
            safe_below=options.safe_below,
            renamed=renamed,
        )
        made = plan(request, old.connection if is_url(source) else None)
        return _described(made, new, declared)


def is_url(place: str) -> bool:
    """Whether it names a database, and not a file or folder."""
    return place.startswith(("postgresql://", "postgres://"))


def _described(made: Plan, new: Project, declared: Desired | None) -> Plan:
    if declared is None:
        found = new.target()
        return replace(made, files=f"{found.database} on {found.host}:{found.port}")
    return replace(
        made,
        files=str(new.file),
        file_statements=declared.statements,
        shadow_seconds=declared.seconds,
        notices=(*made.notices, *(str(n) for n in declared.notices)),
    )
