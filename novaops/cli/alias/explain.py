"""`novaops alias explain`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import declared
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, TEXT_OR_JSON, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias explain argus
  novaops alias explain argus_memory --format json
"""


@click.command("explain", cls=Command, epilog=EPILOG)
@click.argument("name")
@options(CONNECTION, TEXT_OR_JSON)
def command(name: str, output_format: str, **given: Any) -> int:
    """Say who uses the alias NAME, where it leads, how, and why."""
    from novaops.output.alias_reports import write_explanation

    write_explanation(declared(settings(given)).explain(name), output_format)
    return 0
