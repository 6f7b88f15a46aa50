"""A plan in whatever form was asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from novaops.output.terminal import write_data
from novaops.planning.plan import Plan


def write_plan(plan: Plan, form: str, apply: Sequence[str] | None = None) -> None:
    """Write the plan to stdout; `apply` holds the arguments of the call that applies it, for people, if there is one."""
    if form == "json":
        from novaops.output.json import plan_to_json

        write_data(plan_to_json(plan))
    elif form == "sql":
        from novaops.output.sql import plan_to_sql

        write_data(plan_to_sql(plan))
    elif form == "markdown":
        from novaops.output.markdown import plan_to_markdown

        write_data(plan_to_markdown(plan))
    else:
        from novaops.output.text import write_plan_text

        write_plan_text(plan, apply)


def save_plan(plan: Plan, path: Path) -> None:
    """Write the artifact, whole or not at all; it tells much about a database, so 0600."""
    from novaops.output.json import plan_to_json

    # mkstemp() makes the file with mode 0600, and beside the target so that the rename is atomic.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(plan_to_json(plan))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def load_plan(path: Path) -> Plan:
    """The plan that `save_plan` wrote."""
    from novaops.output.json import plan_from_json

    return plan_from_json(path.read_text(encoding="utf-8"), str(path))
