"""`novaops diff`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import FORMAT, QUIET, SCOPE, options
from novaops.cli.verdict import verdict

EPILOG = """\b
Examples:
  novaops diff postgresql://db1/shop postgresql://db2/shop     what turns the first into the second
  novaops diff old/ new/ --shadow embedded                     two states of the files
  novaops diff postgresql://db1/shop schema.sql --check        exit 3 when they differ
"""


@click.command("diff", cls=Command, epilog=EPILOG)
@click.argument("source")
@click.argument("target")
@options(SCOPE, FORMAT, QUIET)
@click.option("--check", is_flag=True, help="Exit 3 when they differ.")
def command(source: str, target: str, output_format: str, check: bool, **given: Any) -> int:
    """Show what turns SOURCE into TARGET: each a URL, or a .sql file or folder."""
    raise NotImplementedError
