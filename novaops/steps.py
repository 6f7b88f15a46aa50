"""The steps of a project as functions, for programs that need one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from novaops.catalog.snapshot import Snapshot
from novaops.planning.changes import Change
from novaops.planning.diff import Comparison
from novaops.planning.diff import diff as compare
from novaops.planning.plan import Plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import EVERYTHING
from novaops.project import Options, Outcome, Project

Conninfo = str | Mapping[str, str]


def inspect(conninfo: Conninfo) -> Snapshot:
    """The database as a value: every object with its attributes, and the dependencies between them.

    What novaops keeps there for itself is left out.
    """
    with Project(conninfo) as project:
        found = project.inspect()
    return found.part({a for a, o in found.objects.items() if not EVERYTHING.excluded(o, found)})


def diff(source: Snapshot, target: Snapshot) -> list[Change]:
    """What differs between two databases, object by object, privileges included."""
    changes = compare(source, target, EVERYTHING, Comparison(PrivilegeMode.MANAGED))
    return list(changes.values())


def plan(
    conninfo: Conninfo,
    file: Path | str,
    options: Options | None = None,
    allow: Collection[str] | Mapping[str, str] = (),
) -> Plan:
    """The plan that brings the database to what the files declare."""
    with Project(conninfo, file, options or Options()) as project:
        return project.plan(allow)


def rehearse(conninfo: Conninfo, file: Path | str, options: Options | None = None) -> Plan:
    """The plan with the locks and rewrites seen on a throwaway copy, and whether it converges."""
    with Project(conninfo, file, options or Options()) as project:
        return project.rehearse(project.plan())


def apply(
    conninfo: Conninfo,
    file: Path | str,
    options: Options | None = None,
    allow: Collection[str] | Mapping[str, str] = (),
) -> Outcome:
    """Bring the database to what the files declare; raises `RefusedError` at a hazard not in `allow`."""
    with Project(conninfo, file, options or Options()) as project:
        return project.apply(allow=allow)
