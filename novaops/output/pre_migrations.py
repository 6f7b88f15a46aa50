"""The first part of a plan: the files that run before it, and after it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from novaops.output.terminal import visible
from novaops.output.tree import HAZARD, counted, state_of
from novaops.planning.plan import PreMigration

WHEN = {"pre": "", "post": ", after the apply"}


def pre_migration_lines(files: Sequence[PreMigration]) -> list[Text]:
    """A line for each file, its hazards below it; a blank line after the last."""
    if not files:
        return []
    width = max(len(visible(f.name)) for f in files)
    lines = [Text("pre-migrations", "bold")]
    for file in files:
        state = f"({file.state}{WHEN[file.phase]})"
        count = counted(len(file.statements), "statement")
        outside = "" if file.transactional else ", outside a transaction"
        lines.append(Text(f"  {visible(file.name):{width}}  {state}  {count}{outside}"))
        for hazard in file.hazards:
            lines.append(Text(f"      ! {visible(hazard.consent)}", "yellow" if hazard.allowed else HAZARD))
            lines.append(Text(f"          {visible(hazard.message)}{state_of(hazard)}"))
    return [*lines, Text()]
