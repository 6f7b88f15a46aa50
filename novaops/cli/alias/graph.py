"""`novaops alias graph`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import declared
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, formats, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias graph >> docs/databases.md   in a block ```mermaid … ```
  novaops alias graph --format svg > aliases.svg
"""


@click.command("graph", cls=Command, epilog=EPILOG)
@formats("mermaid", "svg", "json")
@options(CONNECTION)
def command(output_format: str, **given: Any) -> int:
    """Draw users, aliases and databases."""
    from novaops.output.alias_reports import write_graph

    write_graph(declared(settings(given)).inventory(), output_format)
    return 0
