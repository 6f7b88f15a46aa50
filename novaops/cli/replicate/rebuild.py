"""`novaops replicate rebuild`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import ALLOW, CONNECTION, QUIET, TEXT_OR_JSON, YES, checked_duration, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import one, replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
For a slot that is lost, a publication that was dropped, or a target that was restored. Slot and subscription are made
anew; rows that differ are copied, overwritten or deleted on the target, in place: where one would be lost by that, it
takes --allow data-loss:TABLE. Cut off, the same command goes on.
"""


@click.command("rebuild", cls=Command, short_help="Make slot and subscription anew.", epilog=EPILOG)
@options(REPLICATIONS, CONNECTION, ALLOW, YES)
@click.option(
    "--wait",
    metavar="TIME",
    default="60s",
    callback=checked_duration,
    show_default=True,
    help="How long the slot may wait for open transactions of the source's server.",
)
@options(TEXT_OR_JSON, QUIET)
def command(
    allow: tuple[str, ...], reason: str, yes: bool, wait: str, output_format: str, quiet: bool, **given: Any
) -> int:
    """Build a replication anew, and bring the rows of the target into line."""
    from novaops.cli.questions import confirmed
    from novaops.durations import parse_duration
    from novaops.output.replication_repairs import write_rebuilt
    from novaops.planning.consents import with_reasons
    from novaops.replication.pair import open_pair
    from novaops.replication.repairs.rebuild import rebuild

    with replications(given, quiet) as (found, reporter):
        replication = one(found)
        if not (yes or confirmed(f"Build {replication} anew?", "replicate rebuild")):
            return FAILED
        with open_pair(replication) as pair:
            consents = with_reasons(allow, reason)
            outcome = rebuild(pair, replication, reporter, wait=parse_duration(wait), allow=consents)
    write_rebuilt(outcome, output_format)
    return 0
