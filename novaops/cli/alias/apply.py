"""`novaops alias apply`."""

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
  novaops alias apply --dry-run              the difference between novaops.toml and the files
  novaops alias apply                        write them, reload, compare what is served

What was edited in novaops.toml takes effect so; verifiers are read from the server again.
"""


@click.command("apply", cls=Command, epilog=EPILOG)
@options(DRAIN, DRY_RUN, CONNECTION, TEXT_OR_JSON, QUIET)
def command(drain: str, force: bool, dry_run: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Bring pgbouncer to what novaops.toml declares."""
    from novaops.output.aliases import write_outcome

    with open_aliases(settings(given), quiet) as aliases:
        outcome = aliases.apply(drain=drain_of(drain, force), dry_run=dry_run)
    write_outcome(outcome, output_format)
    return 0
