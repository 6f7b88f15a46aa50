"""`novaops replicate status`."""

from __future__ import annotations

import time
from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
Examples:
  novaops replicate status                  all that novaops.toml declares
  novaops replicate status --watch          again every second, until Ctrl-C
  novaops replicate status --json           for programs

Exit 1 when something is wrong. verify looks closer: it compares all rows and sends one on its way.
"""


@click.command("status", cls=Command, short_help="Lag, tables, and what is wrong.", epilog=EPILOG)
@options(REPLICATIONS, CONNECTION)
@click.option(
    "--watch", is_flag=True, help="Look again every second; each look is one block, or one line of JSON."
)
@options(TEXT_OR_JSON, QUIET)
def command(watch: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Lag, tables, and a plain sentence for everything that is wrong, with what mends it."""
    from novaops.output.replication_status import write_statuses
    from novaops.replication.replicate import both_ways
    from novaops.replication.status import status

    with replications(given, quiet) as (found, _):
        while True:
            seen = [status(each) for each in both_ways(found)]
            write_statuses(seen, output_format, watching=watch)
            if not watch:
                return 0 if all(each.healthy for each in seen) else FAILED
            time.sleep(1)
