"""The exit code of a plan."""

from __future__ import annotations

import click

from novaops.execution.rehearsal import Rehearsal
from novaops.planning.plan import Plan

FAILED = 1
PENDING = 3
REFUSED = 4


def verdict(plan: Plan, check: bool, fail_on_unmanaged: bool) -> int:
    """What a plan means where nothing is applied: a refusal beats what is unmanaged, failed or pending."""
    if check and plan.blocked:
        return REFUSED
    if fail_on_unmanaged and plan.unmanaged:
        count = len(plan.unmanaged)
        click.echo(f"{count} unmanaged object{'s' * (count > 1)} (--fail-on-unmanaged)", err=True)
        return FAILED
    if Rehearsal.of(plan.rehearsal).failed:
        return FAILED
    return PENDING if check and (plan.todo or plan.left_out) else 0
