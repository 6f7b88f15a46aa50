"""`novaops unpark`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import open_project, settings
from novaops.cli.verdict import FAILED

EPILOG = """\b
Examples:
  novaops apply --park                  put tables aside that the files do not declare any more, for 30 days
  novaops unpark                        which those are, and until when
  novaops unpark public.orders          bring one back, with rows, keys, triggers, policies
  novaops unpark --expire               drop those whose time is over, after a question
"""


@click.command("unpark", cls=Command, epilog=EPILOG)
@click.argument("name", required=False)
@click.option("--expire", is_flag=True, help="Drop the tables that are past their time.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@options(TEXT_OR_JSON)
@options(CONNECTION, QUIET)
def command(
    name: str | None, expire: bool, yes: bool, output_format: str, quiet: bool,
    **given: Any,
) -> int:  # fmt: skip
    """List parked tables, or bring the one called NAME back."""
    from novaops.cli.questions import confirmed
    from novaops.output.parked import write_brought_back, write_dropped, write_parked

    if name is not None and expire:
        raise click.UsageError("--expire takes no NAME: it drops what is past its time")
    with open_project(settings(given), quiet) as project:
        if name is not None:
            found = project.unpark(name)
            write_brought_back(found, output_format)
            return FAILED if found.failed else 0
        expired = [table for table in project.parked() if table.expired]
        if expire and expired:
            question = f"Drop {', '.join(table.origin for table in expired)} for good?"
            if not (yes or confirmed(question, "unpark", "--expire")):
                return FAILED
            write_dropped(project.drop_expired(), output_format)
        else:
            write_parked(project.parked(), output_format)
    return 0
