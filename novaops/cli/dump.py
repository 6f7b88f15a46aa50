"""`novaops dump`."""

from __future__ import annotations

from pathlib import Path
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
@click.option(
    "--split",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a file for each object below DIR, for --file DIR.",
)
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Write connection strings and passwords in clear; a file must be 0600.",
)
def command(split: Path | None, with_secrets: bool, quiet: bool, **given: Any) -> int:  # fmt: skip
    """Write the schema of a database as SQL."""
    from novaops.output.dump import check_private, write_folder
    from novaops.output.terminal import write_data

    if with_secrets and split is None:
        check_private()
    with open_project(settings(given), quiet) as project:
        if split is not None:
            write_folder(split, project.split(secrets=with_secrets))
        else:
            write_data(project.dump(secrets=with_secrets))
    return 0
