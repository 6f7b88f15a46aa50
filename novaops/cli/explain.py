"""`novaops explain`."""

from __future__ import annotations

import click

from novaops.cli.command import Command
from novaops.cli.options import TEXT_OR_JSON, options

EPILOG = """\b
Examples:
  novaops explain               every hazard in one line
  novaops explain data-loss     what it is, how to see the rows, the safe way, how to consent
  novaops explain H101          the same, by its code
"""


@click.command("explain", cls=Command, epilog=EPILOG)
@click.argument("code", required=False)
@options(TEXT_OR_JSON)
def command(code: str | None, output_format: str) -> int:
    """Explain a hazard by its name or CODE."""
    from novaops.output.explanations import write_explanation, write_hazards

    if code is None:
        write_hazards(output_format)
    else:
        write_explanation(code, output_format)
    return 0
