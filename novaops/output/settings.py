"""Settings and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from novaops.config import Explained
from novaops.output.json import dumps
from novaops.output.terminal import visible, write_data, write_lines


def write_settings(settings: Sequence[Explained], form: str) -> None:
    """Print a line for each setting: name, value, origin."""
    if form == "json":
        write_data(dumps({"format_version": 1, "settings": [asdict(s) for s in settings]}))
        return
    names = max(len(s.name) for s in settings)
    values = max(len(visible(s.value)) for s in settings)
    write_lines(
        Text.assemble(
            f"{s.name:{names}}  ", (f"{visible(s.value):{values}}", "bold"), (f"  {visible(s.origin)}", "dim")
        )
        for s in settings
    )
