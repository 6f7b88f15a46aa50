"""In which order a change reaches the two sides of a replicated table; the wrong one stops the worker."""

from __future__ import annotations

from collections.abc import Iterator

from novaops.db.identifiers import quote_qualified
from novaops.desired.overlay import Overlay, Replicated
from novaops.planning.plan import Plan


def in_which_order(made: Plan, overlay: Overlay | None) -> Iterator[str]:
    """A notice for each change of a plan that the other side has to have before it, or after it."""
    for table in overlay.replicated if overlay else ():
        identity = quote_qualified(table.schema, table.table)
        if any(c.object == identity and c.kind == "table" and c.operation == "drop" for c in made.changes):
            yield f"{identity} is replicated {_with(table)}: end that first (novaops replicate teardown)"
        columns = [c for c in made.changes if c.kind == "column" and c.container == identity]
        for operation, first, then in (
            ("create", "before the source has it, or the worker stops at the next row", "the target"),
            ("drop", "before the target lacks it, or the worker stops at the next row", "the source"),
        ):
            names = [c.name for c in columns if c.operation == operation]
            if names and (operation == "drop" or table.whole):
                here = table.sends == (then == "the source")
                verb = "add" if operation == "create" else "drop"
                place = "here" if here else f"in {table.partner}"
                yield f"{identity} is replicated {_with(table)}: {verb} {', '.join(names)} {place} first, {first}"
        if changed := [c.name for c in columns if c.operation in ("alter", "replace")]:
            yield (
                f"{identity} is replicated {_with(table)}: {', '.join(changed)} changes on this side; "
                "novaops replicate --check tells whether both still agree"
            )


def _with(table: Replicated) -> str:
    return f"to {table.partner}" if table.sends else f"from {table.partner}"
