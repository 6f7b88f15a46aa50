"""`novaops migrations`: the pre-migrations by themselves."""

from __future__ import annotations

from novaops.cli.command import LazyGroup

EPILOG = """\b
Examples:
  novaops migrations                        which files there are, and where each stands
  novaops migrations run --dry-run          what would run; tried on a copy of the schema
  novaops migrations adopt                  take over a history that another tool has made

novaops apply runs them by itself, before its own statements (*.post.sql and *.data.sql: after them).
"""


command = LazyGroup(
    name="migrations",
    package="novaops.cli.migrations",
    default="list",
    commands=("list", "run", "adopt", "accept"),
    help="List, run, adopt and accept pre-migrations.",
    epilog=EPILOG,
)
