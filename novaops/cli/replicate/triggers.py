"""`novaops replicate triggers`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import replications
from novaops.cli.verdict import PENDING

EPILOG = """\b
Modes, and the rows that fire a trigger in them (ALTER TABLE … ENABLE … TRIGGER):
  ALWAYS     replicated rows and local ones       declared as always or replicated-too
  ORIGIN     local rows, not replicated ones      origin or local-only; what CREATE TRIGGER makes
  REPLICA    replicated rows, not local ones      replica or replicated-only
  DISABLED   none                                 disabled or never
"""


@click.command(
    "triggers", cls=Command, short_help="Show triggers, their modes, what these mean.", epilog=EPILOG
)
@options(REPLICATIONS, CONNECTION)
@click.option("--check", is_flag=True, help="Exit 3 when a mode is not the one that is declared.")
@options(TEXT_OR_JSON, QUIET)
def command(check: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Show the triggers of replicated tables, their modes, and what these mean on the target."""
    from novaops.output.replication_triggers import write_triggers
    from novaops.replication.trigger_modes import report

    with replications(given, quiet) as (found, _):
        reports = [report(each) for each in found]
    write_triggers(reports, output_format)
    return PENDING if check and any(each.findings for each in reports) else 0
