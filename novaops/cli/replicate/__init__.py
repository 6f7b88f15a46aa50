"""`novaops replicate`: tables of one database that another one has as well, live."""

from __future__ import annotations

import click

from novaops.cli.command import LazyGroup

EPILOG = """\b
Examples:
  novaops replicate --to graybeard_memory           set up what novaops.toml declares, and prove it
  novaops replicate --to quill_memory --table agent_chat
                                                    without a declaration, from the configured database
  novaops replicate --to graybeard_memory --check   what would be done, and what is in the way
  novaops replicate triggers --to graybeard_memory  the modes of triggers, and what they mean there

Without a sub-command it is `run`; `novaops replicate run --help` shows its options.
"""


class _RunByDefault(LazyGroup):
    """Without a sub-command it is `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["run", *args]
        return super().parse_args(ctx, args)


command = _RunByDefault(
    name="replicate",
    package="novaops.cli.replicate",
    commands=(
        "run",
        "status",
        "verify",
        "compare",
        "triggers",
        "sequences",
        "skip",
        "rebuild",
        "teardown",
    ),
    help="Replicate tables to another database: set up, check, prove, repair.",
    epilog=EPILOG,
)
