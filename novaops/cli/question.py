"""The question before something is changed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from novaops.errors import UsageError

if TYPE_CHECKING:
    from novaops.planning.plan import Plan


def agreed(plan: Plan, again: Sequence[str]) -> bool:
    """Ask whether to apply the plan, where there is somebody to ask; `again` is the call, for who is not."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "applying needs consent, and there is no terminal to ask on",
            hint=f"to go on without a question: {shlex.join([*again, '--yes'])}",
        )
    count = len(plan.statements)
    question = f"Apply {count} statement{'s' * (count > 1)} to {plan.target.database}?"
    return click.confirm(question, err=True)
