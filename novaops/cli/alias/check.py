"""`novaops alias check`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.session import declared, open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings
from novaops.cli.verdict import PENDING

EPILOG = """\b
Examples:
  novaops alias check                        everything; exit 3 where something differs
  novaops alias check --no-pooler --no-server   the files alone, on another machine

What cannot be looked at is an error too, unless it is left out by these flags.
"""


@click.command("check", cls=Command, epilog=EPILOG)
@click.option("--no-pooler", is_flag=True, help="Do not ask the running pgbouncer.")
@click.option("--no-server", is_flag=True, help="Do not ask the servers that aliases lead to.")
@click.option("--strict", is_flag=True, help="Exit 3 for warnings, too.")
@options(CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    no_pooler: bool, no_server: bool, strict: bool, output_format: str, quiet: bool, **given: Any
) -> int:
    """Compare novaops.toml, files, running pooler and servers."""
    from novaops.output.alias_reports import write_report

    config = settings(given)
    if no_server:
        report = declared(config).check(pooler=not no_pooler, server=False)
    else:
        with open_aliases(config, quiet) as aliases:
            report = aliases.check(pooler=not no_pooler)
    write_report(report, output_format)
    return PENDING if report.failed(strict) else 0
