"""`novaops history`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, TEXT_OR_JSON, options
from novaops.cli.session import open_project, settings

EPILOG = """\b
Examples:
  novaops history          what was applied to the database, when, by whom, and what came of it
  novaops history 42       one run, with its statements and whether they were committed
"""


@click.command("history", cls=Command, short_help="List what was applied to the database.", epilog=EPILOG)
@click.argument("run", required=False, type=click.IntRange(1))
@options(CONNECTION)
@options(TEXT_OR_JSON)
def command(run: int | None, output_format: str, **given: Any) -> int:
    """List what was applied to the database, or show one RUN with its statements.

    It is read from the schema novaops of the database, where apply keeps its journal.
    """
    from novaops.output.history import write_history, write_run

    with open_project(settings(given), quiet=True) as project:
        if run is None:
            write_history(project.history(), project.lost(), project.target().database, output_format)
        else:
            write_run(*project.recorded(run), project.lost(), output_format)
    return 0
