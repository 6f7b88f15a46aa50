"""`novaops apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, CONSENT, DESIRED, OUTPUT, PARK, QUIET, apply_command, options
from novaops.cli.session import open_project, settings
from novaops.cli.verdict import FAILED, verdict
from novaops.durations import parse_duration

EPILOG = """\b
Examples:
  novaops apply                                   plan, show, ask, apply
  novaops apply plan.json --yes                   exactly that plan; exit 5 if the database has changed since
  novaops apply --allow data-loss:public.t.old    consent to one loss, by its name
  novaops apply --park 60d                        put dropped tables aside for a while; unpark brings them back
  novaops apply --check                           apply nothing; exit 3 or 4 like plan --check

--yes answers the question, never a hazard: each of those is allowed by name, with --allow. Nor does it agree to
go on without a rehearsal where no copy of the schema can be made: that takes --no-rehearse.
"""


@click.command("apply", cls=Command, epilog=EPILOG)
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options(CONSENT, CONNECTION, DESIRED, OUTPUT, PARK, QUIET)
@click.pass_context
def command(
    ctx: click.Context, /, planfile: Path | None, allow: tuple[str, ...], yes: bool, no_rehearse: bool,
    output_format: str, out: Path | None, check: bool, fail_on_unmanaged: bool, park: str | None,
    quiet: bool, **given: Any,
) -> int:  # fmt: skip
    """Apply the changes, all statements as shown by plan."""
    from novaops.cli.questions import agreed, unproven
    from novaops.output.outcome import write_outcome
    from novaops.output.plan import load_plan, save_plan, write_plan
    from novaops.planning.hazard_codes import consent, with_consent

    allowed = frozenset(consent(text) for text in allow)
    config = settings(given)
    schema = config.schema
    with open_project(config, quiet) as project:
        if not check:
            project.recover(schema.lock_wait.value)
        keep = parse_duration(park) if park else None
        plan = with_consent(load_plan(planfile), allowed) if planfile else project.plan(allowed, keep)
        if out is not None:
            save_plan(plan, out)
        if output_format != "json":
            write_plan(plan, output_format, apply_command(ctx) if check or plan.blocked else ())
        stop = verdict(plan, check or bool(plan.blocked), fail_on_unmanaged)
        if not stop and plan.todo and not (yes or agreed(plan, apply_command(ctx))):
            stop = FAILED
        if stop:
            write_outcome(plan, None, output_format)
            return stop
        limits = {"lock_timeout": schema.lock_timeout.value, "lock_wait": schema.lock_wait.value}
        asked = unproven(apply_command(ctx))
        outcome = project.apply(plan, allowed, rehearse=not no_rehearse, unproven=asked, **limits)
    write_outcome(plan, outcome if plan.todo else None, output_format)
    return FAILED if outcome.left else 0
