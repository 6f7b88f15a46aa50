"""`novaops migrations list`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, PRE_MIGRATIONS, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import open_project, settings

EPILOG = """\b
States:
  pending      the next apply runs it       applied      it has run
  not needed   the database was new         adopted      recorded as having run
  interrupted  begun, and not finished      edited       not the text that ran: an error
  missing      it has run, and the file is gone
"""


@click.command("list", cls=Command, epilog=EPILOG)
@options(CONNECTION, PRE_MIGRATIONS, TEXT_OR_JSON, QUIET)
def command(output_format: str, quiet: bool, **given: Any) -> int:
    """Show every pre-migration, where it stands and when it ran."""
    from novaops.output.migrations import write_standings

    with open_project(settings(given), quiet) as project:
        found = project.migrations.listed()
    write_standings(found, output_format)
    return 0
