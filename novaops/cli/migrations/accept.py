"""`novaops migrations accept`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, LOCKS, PRE_MIGRATIONS, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import open_project, settings

EPILOG = """\b
Examples:
  novaops migrations accept 0003_fix.sql    its edit changes nothing, or the database is already so

Nothing of the file is run, now or later.
"""


@click.command("accept", cls=Command, short_help="Record a changed file as done.", epilog=EPILOG)
@click.argument("name")
@options(CONNECTION, PRE_MIGRATIONS, LOCKS, TEXT_OR_JSON, QUIET)
def command(name: str, output_format: str, quiet: bool, **given: Any) -> int:
    """Record the file NAME as it is now as done: edited, interrupted or pending."""
    from novaops.output.migrations import write_accepted

    config = settings(given)
    with open_project(config, quiet) as project:
        before = project.migrations.accept(name, lock_wait=config.schema.lock_wait.value)
    write_accepted(before, output_format)
    return 0
