"""`novaops alias propose`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings

EPILOG = """\b
Reads the table agents of the database. Nothing is changed: the commands that would do it are shown.
"""


@click.command("propose", cls=Command, epilog=EPILOG)
@options(CONNECTION, TEXT_OR_JSON, QUIET)
def command(output_format: str, quiet: bool, **given: Any) -> int:
    """Find agents whose alias is missing, or should not be.

    Persistent agents should have one, ephemeral ones should not.
    """
    from novaops.output.alias_reports import write_proposals

    with open_aliases(settings(given), quiet) as aliases:
        proposals = aliases.propose()
    write_proposals(proposals, output_format)
    return 0
