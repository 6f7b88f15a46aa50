"""What turns one schema into another, wherever the two are: in a database or in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.planning.plan import Plan, Target
from novaops.planning.planner import Request, plan
from novaops.progress import Reporter
from novaops.project import Options, Project


def is_url(place: str) -> bool:
    """Whether it names a database, and not a file or folder."""
    return place.startswith(("postgresql://", "postgres://"))


def compare(
    source: str, target: str, server: Mapping[str, str], options: Options, reporter: Reporter
) -> Plan:
    """The plan from `source` to `target`, each a URL, or a .sql file or folder.

    Files are executed on the server of the other side, or on `server` where both sides are files.
    Without a database at `source` there is no live data, and every hazard counts.
    """
