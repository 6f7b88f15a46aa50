"""What an apply asks, where there is somebody to ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click

from novaops.errors import UsageError
from novaops.invocation import command_line
from novaops.planning.plan import Plan


def agreed(plan: Plan, arguments: Sequence[str] = ()) -> bool:
    """Whether the plan is to be applied; `arguments` are those of the call that was made."""
    counts = ((len(plan.running), "pre-migration"), (len(plan.statements), "statement"))
    what = " and ".join(f"{count} {noun}{'s' * (count > 1)}" for count, noun in counts if count)
    return confirmed(f"Apply {what} to {plan.target.database}?", "apply", arguments=arguments)


def confirmed(question: str, command: str, *options: str, arguments: Sequence[str] = ()) -> bool:
    """The answer to a question of this command, which --yes would answer, too."""
    if not _terminal():
        raise UsageError(
            "this needs consent, and there is no terminal to ask on",
            hint="to go on without a question: "
            + command_line(command, *options, "--yes", arguments=arguments),
        )
    return click.confirm(question, err=True)


def unproven(command: str, arguments: Sequence[str] = ()) -> Callable[[str], bool]:
    """What asks whether to go on where a plan cannot be rehearsed; --yes is no answer to that."""

    def ask(why: str) -> bool:
        if _terminal():
            click.echo(why, err=True)
            return click.confirm("Apply the plan although it was not tried on a copy?", err=True)
        raise UsageError(
            "the plan could not be tried on a copy; nothing was applied",
            detail=why,
            hint="to go on without a rehearsal: "
            f"{command_line(command, '--no-rehearse', '--yes', arguments=arguments)}; --shadow URL names an empty database where a copy can be made",
        )

    return ask


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
