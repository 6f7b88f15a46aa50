"""`novaops dump`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, SCOPE, options
from novaops.cli.session import open_project, settings

EPILOG = """\b
Examples:
  novaops dump > schema/schema.sql       declare what a database is
  novaops dump -d shop --schema sales    one schema of another database
  createdb -T template0 copy && novaops dump | psql -1 -v ON_ERROR_STOP=1 -d copy

The same database gives the same bytes. Rows are not in it: for those there is pg_dump.
"""


@click.command("dump", cls=Command, epilog=EPILOG)
@options(CONNECTION, SCOPE, QUIET)
def command(quiet: bool, **given: Any) -> int:
    """Write the schema of a database as SQL."""
    from novaops.output.terminal import write_data

    with open_project(settings(given), quiet) as project:
        script = project.dump()
    write_data(script)
    return 0
