"""`novaops alias list`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import declared
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, formats, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias list --format markdown > docs/aliases-of-agents.md
"""


@click.command("list", cls=Command, epilog=EPILOG)
@formats("text", "json", "markdown")
@options(CONNECTION)
def command(output_format: str, **given: Any) -> int:
    """List the aliases that novaops.toml declares."""
    from novaops.output.aliases import write_inventory

    write_inventory(declared(settings(given)).inventory(), output_format)
    return 0
