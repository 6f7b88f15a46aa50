"""`novaops replicate`: tables of one database that another one has as well, live."""

from __future__ import annotations

from novaops.cli.command import LazyGroup

EPILOG = """\b
Examples:
  novaops replicate --to graybeard_memory           set up what novaops.toml declares, and prove it
  novaops replicate --to quill_memory --table agent_chat
                                                    without a declaration, from the configured database
  novaops replicate --to graybeard_memory --check   what would be done, and what is in the way
  novaops replicate triggers --to graybeard_memory  the modes of triggers, and what they mean there
  novaops replicate apply --to graybeard_memory     change replicated tables, on both sides

Without a sub-command it is `run`; `novaops replicate run --help` shows its options.
"""


command = LazyGroup(
    name="replicate",
    package="novaops.cli.replicate",
    default="run",
    commands=(
        "run",
        "status",
        "verify",
        "compare",
        "triggers",
        "apply",
        "sequences",
        "skip",
        "rebuild",
        "teardown",
    ),
    help="Replicate tables to another database: set up, check, prove, repair.",
    short_help="Replicate tables to another database.",
    epilog=EPILOG,
)
