"""`novaops replicate compare`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
Examples:
  novaops replicate compare             count and hash of both sides, and the keys that differ
  novaops replicate compare --repair    make these rows of the target what they are on the source

Rows that are written meanwhile do not disturb it: what differs is looked at again behind a barrier.
"""


@click.command("compare", cls=Command, epilog=EPILOG)
@options(REPLICATIONS, CONNECTION)
@click.option(
    "--repair", "repairing", is_flag=True, help="Copy, overwrite and delete rows of the target that differ."
)
@options(TEXT_OR_JSON, QUIET)
def command(repairing: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Compare the rows of both sides, key by key. Exit 1 when they are not equal."""
    from novaops.output.replication_proof import write_comparisons
    from novaops.replication.pair import open_pair
    from novaops.replication.proof.compare import compare
    from novaops.replication.proof.repair import repair_of
    from novaops.replication.proof.state import as_found
    from novaops.replication.replicate import both_ways

    compared = []
    with replications(given, quiet) as (found, reporter):
        for each in both_ways(found):
            with open_pair(each) as pair:
                how = repair_of(each) if repairing else None
                compared.append((each, compare(pair, as_found(pair, each), reporter, repair=how)))
    write_comparisons(compared, output_format)
    return 0 if all(table.equal for _, tables in compared for table in tables) else FAILED
