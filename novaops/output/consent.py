"""What a consent to everything consents to."""

from __future__ import annotations

from rich.text import Text

from novaops.output.terminal import visible, write_lines
from novaops.output.tree import counted
from novaops.planning.hazard_codes import EVERYTHING
from novaops.planning.plan import Plan


def write_swallowed(plan: Plan) -> None:
    """Warn on stderr of each hazard that `--allow all` lets through and that nobody named."""
    if EVERYTHING not in plan.consents:
        return
    named = plan.consents.keys() - {EVERYTHING}
    hazards = [h for change in plan.changes for h in change.hazards]
    passed = dict.fromkeys(
        h.consent for h in hazards if h.allowed and named.isdisjoint({h.hazard, h.consent})
    )
    if passed:
        lines = [
            f"--allow all lets {counted(len(passed), 'hazard')} through:",
            *(f"  {each}" for each in passed),
        ]
        write_lines([Text(visible(line), "bold yellow") for line in lines], stderr=True)
