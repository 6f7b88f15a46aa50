"""`novaops replicate apply`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import (
    CONNECTION,
    CONSENT,
    DESIRED,
    QUIET,
    TEXT_OR_JSON,
    options,
)
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import schema_change
from novaops.cli.session import settings, standing_consents
from novaops.cli.verdict import FAILED, PENDING, REFUSED

EPILOG = """\b
Examples:
  novaops replicate apply                         the files' changes, here and wherever the tables are replicated to
  novaops replicate apply --to graybeard_memory --check
                                                  all steps of both sides; exit 3 when there are any, 4 when refused
  novaops replicate apply --allow data-loss:public.agent_chat.legacy
                                                  a column goes on both sides: one consent, by its name

The files are those of the database that the rows come from. The target first takes rows of both shapes, then the
source changes, and the target gets its last shape when the rows of the old one have arrived. Cut off at any moment,
the same command goes on.
"""


@click.command("apply", cls=Command, short_help="Change tables on both sides.", epilog=EPILOG)
@options(REPLICATIONS[:2], CONSENT, CONNECTION, DESIRED)
@click.option("--check", is_flag=True, help="Show the steps, and change nothing.")
@options(TEXT_OR_JSON, QUIET)
def command(
    allow: tuple[str, ...], reason: str, yes: bool, no_rehearse: bool, check: bool,
    output_format: str, quiet: bool, **given: Any,
) -> int:  # fmt: skip
    """Change replicated tables as the files have them, on both sides."""
    from novaops.cli.questions import confirmed, unproven
    from novaops.output.replication_apply import write_changed, write_course
    from novaops.planning.consents import with_reasons
    from novaops.replication.schema_change.run import How, apply

    config = settings({name: value for name, value in given.items() if name not in ("to", "source")})
    allowed = {**standing_consents(config), **with_reasons(allow, reason)}
    with schema_change(given, quiet) as change:
        course = change.plan(allowed)
        if output_format == "text":
            write_course(course)
        stop = REFUSED if course.refusals or course.blocked else PENDING if check and course.todo else 0
        if (
            not stop
            and course.todo
            and not (yes or confirmed(f"Take {len(course.steps)} steps?", "replicate apply"))
        ):
            stop = FAILED
        if stop or check:
            write_changed(course, None, output_format, checked=check)
            return stop
        schema = config.schema
        limits = {"lock_timeout": schema.lock_timeout.value, "lock_wait": schema.lock_wait.value}
        changed = apply(
            change, course, allowed, How(not no_rehearse, **limits, unproven=unproven("replicate apply"))
        )
    write_changed(course, changed, output_format)
    return 0
