"""`novaops migrations`: the pre-migrations by themselves."""

from __future__ import annotations

import click

from novaops.cli.command import LazyGroup

EPILOG = """\b
Examples:
  novaops migrations                        which files there are, and where each stands
  novaops migrations run --dry-run          what would run; tried on a copy of the schema
  novaops migrations adopt                  take over a history that another tool has made

novaops apply runs them by itself, before its own statements (*.post.sql: after them).
"""


class _ListByDefault(LazyGroup):
    """Without a sub-command it is `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


command = _ListByDefault(
    name="migrations",
    package="novaops.cli.migrations",
    commands=("list", "run", "adopt", "accept"),
    help="List, run, adopt and accept pre-migrations.",
    epilog=EPILOG,
)
