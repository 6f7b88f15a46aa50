"""`novaops alias test`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.options import PASSWORD, password_from
from novaops.cli.alias.session import open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings
from novaops.cli.verdict import FAILED

EPILOG = """\b
Examples:
  novaops alias test                         all aliases
  novaops alias test argus --password-stdin < secret

Without --password-stdin or --password-command the password comes from password_command of the alias
in novaops.toml, or as for psql: PGPASSWORD, ~/.pgpass (for the host and port of the pooler).
Exit 1 where a login fails or could not be tried.
"""


@click.command("test", cls=Command, epilog=EPILOG)
@click.argument("names", nargs=-1)
@options(PASSWORD, CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    names: tuple[str, ...], password_stdin: bool, password_command: str | None, output_format: str, quiet: bool,
    **given: Any,
) -> int:  # fmt: skip
    """Log in through aliases, and look at where that leads."""
    from novaops.output.aliases import write_probes

    password = password_from(password_stdin, password_command)
    with open_aliases(settings(given), quiet) as aliases:
        probes = aliases.test(names, password)
    write_probes(probes, output_format)
    return 0 if all(p.good for p in probes) else FAILED
