"""`novaops alias rotate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from novaops.cli.alias.options import PASSWORD, password_from
from novaops.cli.alias.session import open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings
from novaops.errors import UsageError

EPILOG = """\b
Examples:
  novaops alias rotate argus --write-password argus.secret
  vault read -field=password argus | novaops alias rotate argus --password-stdin

The role gets the new password, userlist.txt its verifier, and a login proves both; on an error all is as before.
Agents that are connected stay connected.
"""


@click.command("rotate", cls=Command, epilog=EPILOG)
@click.argument("name")
@click.option(
    "--write-password", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Make a password and write it to the new FILE, mode 0600.",
)  # fmt: skip
@options(PASSWORD, CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    name: str, write_password: Path | None, password_stdin: bool, password_command: str | None,
    output_format: str, quiet: bool, **given: Any,
) -> int:  # fmt: skip
    """Give the user of NAME a new password, here and on the server."""
    from novaops.output.aliases import write_outcome

    password = password_from(password_stdin, password_command)
    if (password is None) == (write_password is None):
        raise UsageError(
            "where the new password comes from is not said"
            if password is None
            else "there are two new passwords",
            hint="give one of --write-password FILE, --password-stdin, --password-command COMMAND",
        )
    with open_aliases(settings(given), quiet) as aliases:
        outcome = aliases.rotate(name, password, write_password)
    write_outcome(outcome, output_format)
    return 0
