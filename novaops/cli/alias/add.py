"""`novaops alias add`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.alias.options import DRY_RUN, PASSWORD, password_from
from novaops.cli.alias.session import open_aliases
from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, options
from novaops.cli.session import settings

EPILOG = """\b
Examples:
  novaops alias add argus --rationale "Security agent, logs findings"
  novaops alias add quill --target quill_memory --target-host db2 --pool-size 5
  printf '%s' "$SECRET" | novaops alias add scout --create-role --password-stdin

The secret for pgbouncer is the verifier that the server holds, which a superuser can read.
Adding an alias again changes what is given anew, or nothing.
"""


@click.command("add", cls=Command, epilog=EPILOG)
@click.argument("agent")
@click.option("--alias", "name", metavar="NAME", help="Name of the alias. Default: AGENT_memory.")
@click.option("--role", metavar="ROLE", help="Role that logs in. Default: AGENT.")
@click.option(
    "--target", metavar="DATABASE", help="Where it leads. Default: target in [pgbouncer], or --database."
)
@click.option("--target-host", metavar="HOST", help="Server of the target. Default: that of the connection.")
@click.option("--target-port", metavar="PORT", type=click.IntRange(1, 65535), help="Port of that server.")
@click.option(
    "--pool-mode", type=click.Choice(["session", "transaction", "statement"]), help="Default: session."
)
@click.option(
    "--pool-size", metavar="N", type=click.IntRange(1), help="Server connections of the alias. Default: 3."
)
@click.option("--rationale", metavar="TEXT", default="", help="Why the agent has an alias.")
@click.option(
    "--create-role", is_flag=True, help="Make the role if the server has none, with the password given."
)
@click.option("--take-over", is_flag=True, help="Replace an entry of that name that was written by hand.")
@click.option("--shadow", is_flag=True, help="Let the alias hide a database of that name.")
@options(PASSWORD, DRY_RUN, CONNECTION, TEXT_OR_JSON, QUIET)
def command(
    password_stdin: bool, password_command: str | None, create_role: bool, take_over: bool, shadow: bool,
    dry_run: bool, output_format: str, quiet: bool, **given: Any,
) -> int:  # fmt: skip
    """Serve AGENT_memory, which leads to the shared database."""
    from novaops.output.aliases import write_outcome
    from novaops.pgbouncer.new_alias import new_alias

    wanted = {k: given.pop(k) for k in ("agent", "name", "role", "target", "target_host", "target_port",
                                        "pool_mode", "pool_size", "rationale")}  # fmt: skip
    password = password_from(password_stdin, password_command)
    with open_aliases(settings(given), quiet) as aliases:
        outcome = aliases.add(
            new_alias(aliases.inventory(), **wanted), password=password, create_role=create_role,
            take_over=take_over, shadow=shadow, dry_run=dry_run,
        )  # fmt: skip
    write_outcome(outcome, output_format)
    return 0
