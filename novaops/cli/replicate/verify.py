"""`novaops replicate verify`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
In this order, and no further than the first step that fails:
  health     every table ready, the worker stays, no errors, the slot is read, nobody is in the way
  barrier    what the source has committed until now is applied
  rows       count and hash of both sides, by ranges of keys
  sentinel   a row, inserted and deleted in one transaction of the source, is heard on the target
"""


@click.command("verify", cls=Command, epilog=EPILOG)
@options(REPLICATIONS, CONNECTION)
@click.option(
    "--limit", metavar="TIME", default="30s", show_default=True, help="How long a barrier may take."
)
@options(TEXT_OR_JSON, QUIET)
def command(limit: str, output_format: str, quiet: bool, **given: Any) -> int:
    """Prove that rows arrive, are equal, and are heard of. Exit 1 when they are not."""
    from novaops.durations import parse_duration
    from novaops.output.replication_proof import write_proofs
    from novaops.replication.pair import open_pair
    from novaops.replication.proof.state import as_found
    from novaops.replication.proof.verify import verify
    from novaops.replication.replicate import both_ways

    proofs = []
    with replications(given, quiet) as (found, reporter):
        for each in both_ways(found):
            with open_pair(each) as pair:
                proofs.append(verify(pair, as_found(pair, each), reporter, parse_duration(limit)))
    write_proofs(proofs, output_format)
    return 0 if all(proof.proven for proof in proofs) else FAILED
