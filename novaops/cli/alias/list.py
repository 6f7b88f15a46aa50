"""`novaops alias list`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import declared
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias list --format markdown > docs/aliases-of-agents.md
"""


@click.command("list", cls=Command, epilog=EPILOG)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@options(CONNECTION)
def command(output_format: str, **given: Any) -> int:
    """List the aliases that novaops.toml declares."""
    from novaops.output.aliases import write_inventory

    write_inventory(declared(settings(given)).inventory(), output_format)
    return 0
