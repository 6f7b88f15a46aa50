"""`novaops replicate compare`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import ALLOW, CONNECTION, QUIET, TEXT_OR_JSON, YES, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
Examples:
  novaops replicate compare             count and hash of both sides, and the keys that differ
  novaops replicate compare --repair    make these rows of the target what they are on the source
  novaops replicate compare --repair --allow data-loss:public.agent_chat
                                        also those that are overwritten or deleted for it

Rows that are copied for being missing take no consent but the answer to the question. Rows that are written meanwhile do not disturb it: what differs is looked at again behind a barrier.
"""


@click.command("compare", cls=Command, epilog=EPILOG)
@options(REPLICATIONS, CONNECTION)
@click.option(
    "--repair", "repairing", is_flag=True, help="Copy, overwrite and delete rows of the target that differ."
)
@options(ALLOW, YES, TEXT_OR_JSON, QUIET)
def command(
    repairing: bool, allow: tuple[str, ...], reason: str, yes: bool, output_format: str, quiet: bool, **given: Any
) -> int:  # fmt: skip
    """Compare the rows of both sides, key by key. Exit 1 when they are not equal."""
    from novaops.cli.questions import confirmed
    from novaops.output.replication_proof import write_comparisons, write_differences
    from novaops.planning.consents import with_reasons
    from novaops.replication.consent import check_losses
    from novaops.replication.proof.compare import in_order
    from novaops.replication.repairs.rows import compare_rows, repair_rows
    from novaops.replication.replicate import both_ways

    consents = with_reasons(allow, reason)
    with replications(given, quiet) as (found, reporter):
        seen = [(each, compare_rows(each, reporter)) for each in both_ways(found)]
        if repairing and not all(in_order(each, table) for each, tables in seen for table in tables):
            write_differences(seen)
            for each, tables in seen:
                check_losses(each, tables, consents, "replicate compare", "--repair")
            if not (
                yes
                or confirmed("Make these rows what they are on the source?", "replicate compare", "--repair")
            ):
                return FAILED
            seen = [(each, repair_rows(each, reporter, allow=consents)) for each, _ in seen]
    write_comparisons(seen, output_format)
    return 0 if all(in_order(each, table) for each, tables in seen for table in tables) else FAILED
