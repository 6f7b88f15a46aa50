"""`novaops migrations run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from novaops.cli.command import Command
from novaops.cli.options import (
    ALLOW,
    BUILD,
    CONNECTION,
    LOCKS,
    PRE_MIGRATIONS,
    QUIET,
    TEXT_OR_JSON,
    YES,
    options,
)
from novaops.cli.session import open_project, settings
from novaops.cli.verdict import FAILED, REFUSED

if TYPE_CHECKING:
    from novaops.project.pre_migrations.migrations import Pending

EPILOG = """\b
Examples:
  novaops migrations run --dry-run          show the files, and run them on a copy of the schema
  novaops migrations run                    show them, ask, run them
  novaops migrations run --allow data-loss:pre-migrations/0003_fix.sql:12
  novaops migrations run --allow data-loss:0003_fix.sql      the whole file

Files that end in .post.sql or .data.sql wait for novaops apply. On an empty database the schema files build
what the other files repair: these are recorded as not needed. Without schema files they run.
"""


@click.command("run", cls=Command, short_help="Run the pending pre-migrations alone.", epilog=EPILOG)
@options(ALLOW, YES, LOCKS, CONNECTION, PRE_MIGRATIONS, BUILD, TEXT_OR_JSON, QUIET)
@click.option("--dry-run", is_flag=True, help="Change nothing: run them on a throwaway copy of the schema.")
def command(
    allow: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    output_format: str,
    quiet: bool,
    **given: Any,
) -> int:
    """Run the pending pre-migrations, without planning or applying anything else."""
    from novaops.cli.questions import confirmed
    from novaops.output.migrations import write_pending, write_run

    config = settings(given)
    with open_project(config, quiet) as project:
        pending = project.migrations.pending(allow, rehearse=dry_run)
        if dry_run or output_format == "text":
            write_pending(pending, output_format)
        if dry_run:
            return FAILED if pending.failed or pending.error else REFUSED if pending.blocked else 0
        if (
            pending.files
            and not pending.blocked
            and not (yes or confirmed(_question(pending), "migrations run"))
        ):
            return FAILED
        ran = project.migrations.run(
            pending, lock_timeout=config.schema.lock_timeout.value, lock_wait=config.schema.lock_wait.value
        )
    write_run(pending, ran, output_format)
    return 0


def _question(pending: Pending) -> str:
    running = sum(file.runs for file in pending.files)
    return f"Run {running} of them?" if running else f"Record {len(pending.files)} as not needed?"
