"""`novaops plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, DESIRED, OUTPUT, PARK, QUIET, SAFE_ONLY, options
from novaops.cli.session import naming_next, open_project, settings, standing_consents
from novaops.cli.verdict import verdict
from novaops.durations import parse_duration

EPILOG = """\b
Examples:
  novaops plan                                    schema/schema.sql against the configured database
  novaops plan --file db/ -d shop --schema sales  a folder of files, one schema
  novaops plan --out plan.json                    keep it: novaops apply plan.json runs exactly this
  novaops plan --rehearse                         with the locks and rewrites seen on a copy of the schema
  novaops plan --rollback --out plan.json         and the proven way back, plan.rollback.json
  novaops plan --check --format markdown          for a pull request; exits 3 when changes are pending
  novaops explain data-loss                       what a hazard is, and the safe way around it

Nothing is changed: the files are executed in a shadow that is rolled back.
"""


@click.command("plan", cls=Command, epilog=EPILOG)
@options(SAFE_ONLY, CONNECTION, DESIRED, OUTPUT, PARK, QUIET)
@click.option(
    "--rehearse",
    is_flag=True,
    help="Run it on a throwaway copy of the schema: what it locks, where it leads.",
)
@click.option(
    "--rollback",
    is_flag=True,
    help="Prove the way back, and show it; with --out FILE.json save it as FILE.rollback.json.",
)
def command(
    output_format: str,
    out: Path | None,
    check: bool,
    fail_on_unmanaged: bool,
    park: str | None,
    quiet: bool,
    rehearse: bool,
    rollback: bool,
    safe_only: bool,
    **given: Any,
) -> int:
    """Show what would change, by which statements, at what risk."""
    from novaops.output.plan import save_plan, write_plan

    if park and rollback:
        raise click.UsageError("--park takes no --rollback: unpark is the way back")
    config = settings(given)
    with open_project(config, quiet) as project, naming_next(project):
        keep = parse_duration(park) if park else None
        plan = project.plan(standing_consents(config), keep, safe_only=safe_only)
        back = None
        if rollback and plan.statements:
            plan, back = project.rollback(plan)
        elif rehearse and plan.statements:
            plan = project.rehearse(plan)
    if out is not None:
        save_plan(plan, out)
        if back is not None:
            save_plan(back, out.with_suffix(".rollback.json"))
    if back is not None and out is None:
        write_plan(back, output_format)
    else:
        write_plan(plan, output_format, [str(out)] if out else [])
    return verdict(plan, check, fail_on_unmanaged)
