"""`novaops alias render`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from novaops.cli.alias.session import declared, open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias render                       pgbouncer.ini as it would be, on stdout
  novaops alias render --output build        both files, a systemd unit, a reload script
  novaops alias render --output build --with-secrets

Needs neither pgbouncer nor, without --with-secrets, a server. Files that are in DIR already keep what a person
wrote in them. Templates in the folder templates/ beside novaops.toml come before those of novaops.
"""


@click.command("render", cls=Command, epilog=EPILOG)
@click.option(
    "--output", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Write files to DIR."
)
@click.option("--whole", is_flag=True, help="Write whole files, whatever there is.")
@click.option("--with-secrets", is_flag=True, help="Read verifiers from the server into DIR/userlist.txt.")
@options(CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    output: Path | None, whole: bool, with_secrets: bool, output_format: str, quiet: bool, **given: Any
) -> int:
    """Render pgbouncer.ini and userlist.txt, without serving them."""
    from novaops.output.alias_reports import write_rendered

    config = settings(given)
    if with_secrets:
        with open_aliases(config, quiet) as aliases:
            rendered = aliases.render(output, whole=whole, with_secrets=True)
    else:
        rendered = declared(config).render(output, whole=whole)
    write_rendered(rendered, output_format)
    return 0
