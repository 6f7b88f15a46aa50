"""`novaops replicate run`, the default of `novaops replicate`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import ALLOW, CONNECTION, QUIET, TEXT_OR_JSON, checked_duration, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import PENDING, REFUSED
from novaops.errors import NovaopsError

EPILOG = """\b
Examples:
  novaops replicate --to graybeard_memory          set up what is declared; again: nothing to do
  novaops replicate --to graybeard_memory --check  exit 3 when something would be done, 4 when it cannot be
  novaops replicate --check --probe                and try a row on the target, which is rolled back

What is there already stays; what a run has made is undone when it fails. Rows of the target that would be overwritten or
deleted are named before, and take --allow data-loss:TABLE.
"""


@click.command("run", cls=Command, epilog=EPILOG)
@options(REPLICATIONS)
@click.option("--check", "only_check", is_flag=True, help="Look at both sides, and change nothing.")
@click.option(
    "--probe",
    is_flag=True,
    help="With --check, also apply a row on the target as a worker would, and roll it back.",
)
@click.option(
    "--wait",
    metavar="TIME",
    default="60s",
    callback=checked_duration,
    show_default=True,
    help="How long the slot may wait for open transactions of the source's server.",
)
@options(ALLOW, CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    only_check: bool, probe: bool, wait: str, allow: tuple[str, ...], reason: str, output_format: str, quiet: bool,
    **given: Any,
) -> int:  # fmt: skip
    """Set up what is declared, and prove that rows arrive."""
    from novaops.durations import parse_duration
    from novaops.output.replication import write_checked, write_outcomes, write_refused
    from novaops.planning.consents import with_reasons
    from novaops.replication.replicate import PreflightError, both_ways, check, replicate

    if probe and not only_check:
        raise click.UsageError("--probe goes with --check; a set-up tries a row anyway")
    consents = with_reasons(allow, reason)
    with replications(given, quiet) as (found, reporter):
        wanted = both_ways(found)
        if only_check:
            seen = [check(each, reporter, dry_apply=probe, allow=consents) for each in wanted]
            write_checked(seen, output_format)
            if any(each.errors for each in seen):
                return REFUSED
            return PENDING if any(each.pending for each in seen) else 0
        done = []
        for each in wanted:
            try:
                done.append(replicate(each, reporter, wait=parse_duration(wait), allow=consents))
            except PreflightError as error:
                write_refused(done, error.checked, output_format)
                return error.exit_code
            except NovaopsError:
                if output_format == "text":
                    write_outcomes(done, output_format)
                raise
    write_outcomes(done, output_format)
    return 0
