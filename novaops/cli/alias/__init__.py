"""`novaops alias`: names of databases that lead to others, served by pgbouncer."""

from __future__ import annotations

from novaops.cli.command import LazyGroup

EPILOG = """\b
Examples:
  novaops alias add argus --rationale "Security agent, logs findings"
  novaops alias list --format markdown       the table for the documentation
  novaops alias check                        exit 3 where files, pooler or server differ from novaops.toml
  novaops alias test argus                   log in through it

novaops.toml declares the aliases; docs/aliases.md explains them.
"""

command = LazyGroup(
    name="alias",
    package="novaops.cli.alias",
    commands=(
        "add", "remove", "rename", "list", "explain", "apply", "render", "check", "test", "reload",
        "rotate", "propose", "graph",
    ),
    help="Connection aliases, served by pgbouncer.",
    epilog=EPILOG,
)  # fmt: skip
