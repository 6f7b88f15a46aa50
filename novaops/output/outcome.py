"""What became of a plan."""

from __future__ import annotations

from dataclasses import asdict

from rich.text import Text

from novaops.invocation import command_line
from novaops.output.json import dumps, plan_value
from novaops.output.left_out import left_out
from novaops.output.terminal import visible, write_data, write_lines
from novaops.output.text import now_matches
from novaops.output.tree import counted
from novaops.planning.plan import Plan
from novaops.project import Outcome

STILL_DIFFERENT = (
    "{plan} shows how they differ; where another apply does not settle it, change them by hand,"
    " or leave them alone by an entry in .pgschemaignore"
)


def write_outcome(plan: Plan, outcome: Outcome | None, form: str) -> None:
    """Say what was applied; as JSON, with the plan. None: nothing was."""
    if form == "json":
        write_data(dumps({**plan_value(plan), "outcome": None if outcome is None else asdict(outcome)}))
    if outcome is not None:
        write_lines(outcome_lines(plan, outcome), stderr=True)
    elif plan.todo:
        write_lines([Text("nothing was applied", "bold")], stderr=True)


def outcome_lines(plan: Plan, outcome: Outcome) -> list[Text]:
    """The last lines of an apply."""
    done = f"applied {counted(outcome.statements, 'statement')} in {outcome.seconds:.1f} s"
    if outcome.pre_migrations:
        done = f"ran {', '.join(outcome.pre_migrations)}, {done}"
    history = f" · history {outcome.history}" if outcome.history else ""
    if not outcome.compared:
        # Who applies a saved plan may not have the files it was made from.
        return [Text.assemble(("✓ ", "green"), f"{done} as planned{history}")]
    if not outcome.left and plan.left_out:
        return [Text.assemble(("✓ ", "green"), f"{done} · {left_out(plan)}{history}")]
    if not outcome.left:
        return [Text.assemble(("✓ ", "green"), f"{done} · {now_matches(plan)}{history or '.'}")]
    lines = [
        Text.assemble(
            ("! ", "bold red"), f"{done}; {counted(len(outcome.left), 'object')} still differ{history}:"
        )
    ]
    lines += [Text(f"    {visible(name)}") for name in outcome.left]
    # What ran led there on a copy, so something was changed meanwhile, or the copy was not told all.
    return [*lines, Text(f"hint: {STILL_DIFFERENT.format(plan=command_line('plan'))}")]
