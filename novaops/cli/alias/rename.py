"""`novaops alias rename`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.options import DRAIN, DRY_RUN, drain_of
from novaops.cli.alias.session import open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias rename argus_memory argus_findings

Both names are served until nobody is connected by the old one.
"""


@click.command("rename", cls=Command, epilog=EPILOG)
@click.argument("old")
@click.argument("new")
@options(DRAIN, DRY_RUN, CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    old: str, new: str, drain: str, force: bool, dry_run: bool, output_format: str, quiet: bool, **given: Any
) -> int:
    """Serve OLD as NEW, and remove OLD when nobody uses it."""
    from novaops.output.aliases import write_outcome

    with open_aliases(settings(given), quiet) as aliases:
        outcome = aliases.rename(old, new, drain=drain_of(drain, force), dry_run=dry_run)
    write_outcome(outcome, output_format)
    return 0
