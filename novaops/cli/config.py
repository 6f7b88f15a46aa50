"""`novaops config`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, DESIRED, TEXT_OR_JSON, options

EPILOG = """\b
A setting is taken from the first place that has it:
  1. the flag
  2. the environment: NOVAOPS_HOST, NOVAOPS_FILE …; DATABASE_URL; PGHOST, PGDATABASE …
  3. novaops.toml in the working directory
  4. ~/.openclaw/postgres.json
  5. the default
"""


@click.group("config")
def command() -> None:
    """Show the settings that commands run with."""


@command.command("explain", cls=Command, short_help="Show every setting and its origin.", epilog=EPILOG)
@options(CONNECTION, DESIRED)
@options(TEXT_OR_JSON)
def explain(output_format: str, **given: Any) -> int:
    """Show every setting and where its value comes from; connects to nothing."""
    from novaops.config import load
    from novaops.output.settings import write_settings

    write_settings(load(given).explain(), output_format)
    return 0
