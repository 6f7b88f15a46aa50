"""novaops keeps PostgreSQL databases the way their files say.

The library is what the commands call: a `Project` is a database with the files that declare it;
`inspect`, `diff`, `plan`, `rehearse` and `apply` are its steps as functions. Names are loaded when
they are used, so that `import novaops` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novaops.catalog.snapshot import Snapshot
    from novaops.errors import NovaopsError, RefusedError, TargetChangedError, UsageError
    from novaops.planning.plan import Hazard, Plan, PlannedChange, Statement
    from novaops.project import Options, Outcome, Project
    from novaops.steps import apply, diff, inspect, plan, rehearse

_HOMES = {
    "Snapshot": "novaops.catalog.snapshot",
    "NovaopsError": "novaops.errors",
    "RefusedError": "novaops.errors",
    "TargetChangedError": "novaops.errors",
    "UsageError": "novaops.errors",
    "Hazard": "novaops.planning.plan",
    "Plan": "novaops.planning.plan",
    "PlannedChange": "novaops.planning.plan",
    "Statement": "novaops.planning.plan",
    "Options": "novaops.project",
    "Outcome": "novaops.project",
    "Project": "novaops.project",
    "apply": "novaops.steps",
    "diff": "novaops.steps",
    "inspect": "novaops.steps",
    "plan": "novaops.steps",
    "rehearse": "novaops.steps",
}

__all__ = [
    "Hazard",
    "NovaopsError",
    "Options",
    "Outcome",
    "Plan",
    "PlannedChange",
    "Project",
    "RefusedError",
    "Snapshot",
    "Statement",
    "TargetChangedError",
    "UsageError",
    "apply",
    "diff",
    "inspect",
    "plan",
    "rehearse",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
