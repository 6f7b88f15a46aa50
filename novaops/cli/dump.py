"""`novaops dump`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, SCOPE, formats, options
from novaops.cli.session import open_project, settings

EPILOG = """\b
Examples:
  novaops dump > schema/schema.sql       declare what a database is
  novaops dump -d shop --schema sales    one schema of another database
  novaops dump --json > before.json      a snapshot of the whole database, for novaops diff before.json …
  createdb -T template0 copy && novaops dump | psql -1 -v ON_ERROR_STOP=1 -d copy

The same database gives the same bytes. Rows are not in it: for those there is pg_dump.
"""


@click.command("dump", cls=Command, short_help="Write the schema of a database as SQL.", epilog=EPILOG)
@options(CONNECTION, SCOPE, QUIET)
@formats("sql", "json")
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
def command(split: Path | None, with_secrets: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Write the schema of a database as SQL, or as a snapshot for diff."""
    from novaops.output.dump import check_private, write_folder
    from novaops.output.json import dumps
    from novaops.output.terminal import write_data

    if split is not None and output_format == "json":
        raise click.UsageError("--split writes SQL: a snapshot is one file")
    if with_secrets and split is None:
        check_private()
    with open_project(settings(given), quiet) as project:
        if output_format == "json":
            write_data(dumps(project.saved(secrets=with_secrets)))
        elif split is not None:
            write_folder(split, project.split(secrets=with_secrets))
        else:
            write_data(project.dump(secrets=with_secrets))
    return 0
