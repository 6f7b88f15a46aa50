"""What a plan of what needs no consent leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from novaops.output.terminal import visible
from novaops.output.tree import HAZARD, SYMBOLS, counted
from novaops.planning.plan import Plan


def left_out(plan: Plan) -> str:
    """One line: how much that is."""
    return f"{counted(len(plan.left_out), 'change')} left out: for want of consent, or needing what wants it"


def left_out_lines(plan: Plan) -> Iterator[Text]:
    """The changes, each with its hazards by the name that consent is given by."""
    if not plan.left_out:
        return
    yield Text()
    yield Text(left_out(plan), "bold")
    for change in plan.left_out:
        symbol, style = SYMBOLS[change.operation]
        yield Text.assemble("  ", (symbol, style), f" {change.kind} {visible(change.object)}")
        for hazard in change.hazards:
            yield Text.assemble(
                (f"      ! {visible(hazard.consent)}", HAZARD), f"   {visible(hazard.message)}"
            )
