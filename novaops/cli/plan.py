"""`novaops plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, DESIRED, OUTPUT, QUIET, SAFE_ONLY, apply_command, options
from novaops.cli.session import open_project, settings, standing_consents
from novaops.cli.verdict import verdict

EPILOG = """\b
Examples:
  novaops plan                                    schema/schema.sql against the configured database
  novaops plan --file db/ -d shop --schema sales  a folder of files, one schema
  novaops plan --out plan.json                    keep it: novaops apply plan.json runs exactly this
  novaops plan --check --format markdown          for a pull request; exits 3 when changes are pending
  novaops explain data-loss                       what a hazard is, and the safe way around it

Nothing is changed: the files are executed in a shadow that is rolled back.
"""


@click.command("plan", cls=Command, epilog=EPILOG)
@options(SAFE_ONLY, CONNECTION, DESIRED, OUTPUT, QUIET)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    output_format: str,
    out: Path | None,
    check: bool,
    fail_on_unmanaged: bool,
    quiet: bool,
    safe_only: bool,
    **given: Any,
) -> int:
    """Show what would change, by which statements, at what risk."""
    from novaops.output.plan import save_plan, write_plan

    config = settings(given)
    with open_project(config, quiet) as project:
        plan = project.plan(standing_consents(config), safe_only=safe_only)
    if out is not None:
        save_plan(plan, out)
    write_plan(plan, output_format, apply_command(ctx, out))
    return verdict(plan, check, fail_on_unmanaged)
