"""`novaops migrations adopt`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, LOCKS, PRE_MIGRATIONS, QUIET, TEXT_OR_JSON, YES, options
from novaops.cli.session import open_project, settings
from novaops.cli.verdict import FAILED

EPILOG = """\b
Examples:
  novaops migrations adopt                        what _sqlx_migrations or migrations says; else all files
  novaops migrations adopt --from app.versions    what that table says, by its column "version"
  novaops migrations adopt --all --yes            all files that are in the folder now

A version is the beginning of a file's name (3 and 0003 are 0003_fix.sql), or all of it.
"""


@click.command("adopt", cls=Command, epilog=EPILOG)
@options(CONNECTION, PRE_MIGRATIONS, YES, LOCKS, TEXT_OR_JSON, QUIET)
@click.option("--from", "source", metavar="TABLE", help="The table that tells what has run.")
@click.option("--all", "everything", is_flag=True, help="Record all files, whatever tables there are.")
def command(
    source: str | None, everything: bool, yes: bool, output_format: str, quiet: bool, **given: Any
) -> int:
    """Record files as having run, without running them."""
    from novaops.cli.questions import confirmed
    from novaops.output.migrations import write_adoption

    config = settings(given)
    with open_project(config, quiet) as project:
        adoption = project.migrations.adoption(source, everything=everything)
        if output_format == "text":
            write_adoption(adoption, output_format)
        if adoption.files:
            if not (yes or confirmed(f"Record {len(adoption.files)} as having run?", "migrations adopt")):
                return FAILED
            project.migrations.adopt(adoption, lock_wait=config.schema.lock_wait.value)
    if output_format != "text":
        write_adoption(adoption, output_format)
    return 0
