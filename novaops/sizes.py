"""Sizes as PostgreSQL's settings write them: 64kB, 1 GB."""

from __future__ import annotations

import re

# The units of memory of PostgreSQL's settings (documentation, "Setting Parameters"): the factor is 1024.
UNITS = ("B", "kB", "MB", "GB", "TB")
SIZE = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes; only 0 may go without a unit."""
    match = SIZE.fullmatch(text)
    units = {unit.lower(): 1024**power for power, unit in enumerate(UNITS)}
    if match is None or (match["unit"].lower() not in units and (match["unit"] or float(match["number"]))):
        raise ValueError(f"{text!r} is not a size")
    return int(float(match["number"]) * units.get(match["unit"].lower(), 0))


def format_size(size: float) -> str:
    """Bytes for people, in the largest unit of which there is at least one."""
    power = 0
    while size >= 1024 and power < len(UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.1f} {UNITS[power]}" if power > 2 and size < 100 else f"{size:.0f} {UNITS[power]}"
