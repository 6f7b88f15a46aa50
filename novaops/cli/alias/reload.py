"""`novaops alias reload`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings

EPILOG = """\b
Before 1.25 pgbouncer reports success even where it could not read its files. This compares what it
serves afterwards with what they say, and fails where that differs.
"""


@click.command("reload", cls=Command, epilog=EPILOG)
@options(CONNECTION, TEXT_OR_JSON, QUIET)
def command(output_format: str, quiet: bool, **given: Any) -> int:
    """Have pgbouncer read its files again; prove that it did."""
    from novaops.output.aliases import write_outcome

    with open_aliases(settings(given), quiet) as aliases:
        outcome = aliases.reload()
    write_outcome(outcome, output_format)
    return 0
