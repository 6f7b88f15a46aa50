"""`novaops diff`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import BUILD, CONNECTION, FORMAT, QUIET, SCOPE, options
from novaops.cli.session import open_server, settings
from novaops.cli.verdict import PENDING

EPILOG = """\b
Examples:
  novaops diff postgresql://db1/shop postgresql://db2/shop     what turns the first into the second
  novaops diff old/ new/ --shadow embedded                     two states of the files
  novaops diff postgresql://db1/shop schema.sql --check        exit 3 when they differ
  novaops diff before.json postgresql://db1/shop               what has changed since novaops dump --json > before.json
"""


@click.command("diff", cls=Command, epilog=EPILOG)
@click.argument("source")
@click.argument("target")
@options(CONNECTION, SCOPE, BUILD, FORMAT, QUIET)
@click.option("--check", is_flag=True, help="Exit 3 when they differ.")
def command(source: str, target: str, output_format: str, check: bool, quiet: bool, **given: Any) -> int:
    """Show what turns SOURCE into TARGET.

    Each is a URL, a .sql file or folder, or a snapshot that dump --format json wrote. Files are
    executed in a shadow on the server of the other side; where that is no database, on the server
    that the connection options name, or on the embedded server with --shadow embedded.
    """
    from novaops.compare import compare
    from novaops.output.plan import write_plan

    with open_server(settings(given), quiet) as server:
        plan = compare(source, target, server.conninfo, server.options, server.reporter)
    write_plan(plan, output_format)
    return PENDING if check and plan.statements else 0
