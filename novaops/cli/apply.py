"""`novaops apply`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import APPLY, options
from novaops.cli.session import naming_next, open_project, settings, standing_consents
from novaops.cli.verdict import FAILED, PENDING, verdict
from novaops.durations import parse_duration
from novaops.errors import UsageError
from novaops.invocation import command_line

EPILOG = """\b
Examples:
  novaops apply                                   plan, show, ask, apply
  novaops apply plan.json --yes                   exactly that plan; exit 5 if the database has changed since
  novaops apply --park 60d                        put dropped tables aside for a while; unpark brings them back
  novaops apply --allow data-loss:public.t.old    consent to one loss, by its name; --reason says why
  novaops apply --safe-only --yes                 what needs no consent; exit 3 when something else is left
  novaops apply --check                           apply nothing; exit 3 or 4 like plan --check

--yes answers the question, never a hazard: each of those is allowed by name, with --allow. Nor does it agree to
go on without a rehearsal where no copy of the schema can be made: that takes --no-rehearse.
"""


@click.command("apply", cls=Command, epilog=EPILOG)
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options(APPLY)
def command(
    planfile: Path | None, allow: tuple[str, ...], reason: str, yes: bool, no_rehearse: bool, no_event_triggers: bool,
    safe_only: bool, output_format: str, out: Path | None, check: bool, fail_on_unmanaged: bool, park: str | None,
    quiet: bool, **given: Any,
) -> int:  # fmt: skip
    """Apply the changes, all statements as shown by plan."""
    from novaops.cli.questions import agreed, unproven
    from novaops.output.consent import write_swallowed
    from novaops.output.outcome import write_outcome
    from novaops.output.plan import load_plan, save_plan, write_plan
    from novaops.planning.consents import with_reasons
    from novaops.planning.hazard_codes import with_consent

    if planfile and safe_only:
        hint = command_line("plan", "--safe-only", "--out", "FILE")
        raise UsageError("a plan file is applied as it is", hint=hint)
    arguments = [str(planfile)] if planfile else []
    config = settings(given)
    schema = config.schema
    allowed = {**standing_consents(config), **with_reasons(allow, reason)}
    with open_project(config, quiet) as project, naming_next(project, *["--yes"] * yes, arguments=arguments):
        if no_event_triggers:
            project.options = replace(project.options, event_triggers=False)
        if not check:
            project.recover(schema.lock_wait.value)
        if planfile:
            plan = with_consent(load_plan(planfile), allowed)
        else:
            plan = project.plan(allowed, parse_duration(park) if park else None, safe_only=safe_only)
        if out is not None:
            save_plan(plan, out)
        if output_format != "json":
            write_plan(plan, output_format, arguments if check or plan.blocked else None)
        write_swallowed(plan)
        stop = verdict(plan, check or bool(plan.blocked), fail_on_unmanaged)
        if not stop and plan.todo and not (yes or agreed(plan, arguments)):
            stop = FAILED
        if stop:
            write_outcome(plan, None, output_format)
            return stop
        limits = {"lock_timeout": schema.lock_timeout.value, "lock_wait": schema.lock_wait.value}
        asked = unproven("apply", arguments)
        outcome = project.apply(plan, allowed, rehearse=not no_rehearse, unproven=asked, **limits)
    write_outcome(plan, outcome if plan.todo else None, output_format)
    return FAILED if outcome.left else PENDING if plan.left_out else 0
