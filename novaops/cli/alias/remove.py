"""`novaops alias remove`."""

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
  novaops alias remove argus                 no new clients, wait for the others, remove
  novaops alias remove argus --drain 5min
  novaops alias remove argus --force         cut off whoever is still connected after 30 s

The role and its password on the server stay as they are.
"""


@click.command("remove", cls=Command, epilog=EPILOG)
@click.argument("name")
@options(DRAIN, DRY_RUN, CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    name: str, drain: str, force: bool, dry_run: bool, output_format: str, quiet: bool, **given: Any
) -> int:
    """Remove the alias NAME when nobody uses it any more.

    NAME may be that of its agent.
    """
    from novaops.output.aliases import write_outcome

    with open_aliases(settings(given), quiet) as aliases:
        outcome = aliases.remove(name, drain=drain_of(drain, force), dry_run=dry_run)
    write_outcome(outcome, output_format)
    return 0
