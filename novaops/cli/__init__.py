"""The command line: every command parses, calls the library once, prints once and returns an exit code."""

from __future__ import annotations

import gc
import sys

import click

from novaops.cli.command import INTERRUPTED, LazyGroup

EPILOG = """\b
Look first, then apply:
  novaops plan                          what would change, and what stands in the way
  novaops apply                         do it, after a question
  novaops dump --out schema/schema.sql  start from a database that exists

\b
Exit codes: 0 done · 1 failed · 2 usage, or consent needed and nobody to ask
  3 changes pending (--check) · 4 refused: a hazard was not allowed
  5 the target changed since the plan · 130 interrupted
"""

COMMANDS = (
    "plan",
    "apply",
    "migrations",
    "alias",
    "replicate",
    "unpark",
    "dump",
    "diff",
    "history",
    "config",
    "explain",
    "completion",
)


@click.command(
    cls=LazyGroup,
    package="novaops.cli",
    commands=COMMANDS,
    epilog=EPILOG,
    context_settings={"max_content_width": 100},
)
@click.version_option(package_name="novaops", message="%(prog)s %(version)s")
def novaops() -> None:
    """Keep PostgreSQL databases the way their files say.

    Declare a schema in SQL; novaops finds the difference to a live database, shows the statements
    between them with what they would cost, and applies them without losing a row unasked.
    """


def main() -> None:
    """The entry point `novaops`."""
    # What a snapshot holds lives until the end; looking through it for cycles again and again would
    # take half of the time.
    gc.disable()
    try:
        sys.exit(novaops.main(prog_name="novaops", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
