"""`novaops replicate sequences`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import PENDING

EPILOG = """\b
Rows are replicated, the sequences that their keys came from are not: after a while an insert on the target takes a key
that is there. Do this before a target is written to, above all when it takes the place of the source.
"""


@click.command("sequences", cls=Command, epilog=EPILOG)
@options(REPLICATIONS, CONNECTION)
@click.option("--check", is_flag=True, help="Change nothing; exit 3 when a sequence is behind.")
@options(TEXT_OR_JSON, QUIET)
def command(check: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Put the sequences of the target past the keys that were copied."""
    from novaops.output.replication_repairs import write_sequences
    from novaops.replication.pair import open_side
    from novaops.replication.repairs.sequences import advance, stale

    behind = []
    with replications(given, quiet) as (found, _):
        for each in found:
            with open_side(each.target) as target:
                behind.append((each, (stale if check else advance)(target.connection, each)))
    write_sequences(behind, output_format, advanced=not check)
    return PENDING if check and any(sequences for _, sequences in behind) else 0
