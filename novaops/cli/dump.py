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
  novaops dump --out schema/schema.sql   declare what a database is
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
    "--out",
    metavar="PATH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to PATH instead of stdout; it is replaced when all is written.",
)
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Write connection strings and passwords in clear; a file must be 0600.",
)
def command(
    split: Path | None, out: Path | None, with_secrets: bool, output_format: str, quiet: bool, **given: Any
) -> int:
    """Write the schema of a database as SQL, or as a snapshot for diff.

    Without --schema and --scope all schemas are written, but for those of the system and of novaops.
    """
    from novaops.output.dump import check_private, write_file, write_folder, write_omitted
    from novaops.output.json import dumps
    from novaops.output.terminal import write_data

    if split is not None and output_format == "json":
        raise click.UsageError("--split writes SQL: a snapshot is one file")
    if split is not None and out is not None:
        raise click.UsageError("--split writes a folder, --out a file: give one of them")
    if with_secrets and split is None and out is None:
        check_private()
    with open_project(settings(given), quiet) as project:
        if output_format == "json":
            text = dumps(project.saved(secrets=with_secrets))
        else:
            live = project.inspect()
            if not quiet:
                write_omitted(project.omitted(live, secrets=with_secrets))
            if split is not None:
                write_folder(split, project.split(secrets=with_secrets, live=live))
                return 0
            text = project.dump(secrets=with_secrets, live=live)
        if out is not None:
            write_file(out, text, with_secrets)
        else:
            write_data(text)
    return 0
