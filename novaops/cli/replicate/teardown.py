"""`novaops replicate teardown`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, YES, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import one, replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
In this order: subscription, slot, publication. Rows, tables and modes of triggers stay. Where the source is not
reached, the slot that remains there is named, with the statement that drops it.
"""


@click.command("teardown", cls=Command, epilog=EPILOG)
@options(REPLICATIONS, CONNECTION, YES, TEXT_OR_JSON, QUIET)
def command(yes: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Take a replication down, whether its source is there or not."""
    from novaops.cli.questions import confirmed
    from novaops.output.replication_repairs import write_torn_down
    from novaops.replication.repairs.teardown import teardown
    from novaops.replication.replicate import both_ways

    with replications(given, quiet) as (found, reporter):
        replication = one(found)
        if not (yes or confirmed(f"Take down {replication}?", "replicate teardown")):
            return FAILED
        results = [teardown(each, reporter) for each in both_ways([replication])]
    write_torn_down(results, output_format)
    return 0
