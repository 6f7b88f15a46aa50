"""A plan of what needs no approval, beside what an interrupted run has left missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from novaops.catalog.snapshot import Snapshot
from novaops.errors import RefusedError
from novaops.execution.interrupted import approvals, lost, not_restored
from novaops.planning.missing import outermost
from novaops.planning.plan import Plan
from novaops.planning.request import Request
from novaops.planning.safe_only import safe_only

if TYPE_CHECKING:
    from novaops.project.project import Project


def safely(project: Project, request: Request, live: Snapshot) -> tuple[Request, Plan]:
    """Return the request for what is approved, and its plan, which restores what interrupted runs have dropped.

    Raises `RefusedError` if it would leave any of that out, and keeps what that is as `Project.missing`.
    """
    gone = lost(project.connection, live) if project.options.journal else []
    given = approvals(request, project.connection, gone) if gone else {}
    part, made = safe_only(replace(request, allowed={**request.allowed, **given}), project.connection)
    project.missing = not_restored(made, gone)
    if project.missing:
        raise RefusedError(
            "a run was interrupted, and --safe-only would leave out what it has dropped; nothing was applied",
            detail="\n".join(missing.line for missing in outermost(project.missing)),
            hint="finish that run first, without --safe-only",
        )
    return part, made
