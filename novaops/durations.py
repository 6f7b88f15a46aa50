"""Durations as PostgreSQL's settings write them: 500ms, 3s, 5min."""

from __future__ import annotations

import re
from datetime import timedelta

# The units of time of PostgreSQL's settings (documentation, "Setting Parameters"), and m as people write it.
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]*)\s*")


def parse_duration(text: str) -> timedelta:
    """A duration; only 0 may go without a unit."""
    match = DURATION.fullmatch(text)
    if match is None or (
        match["unit"] not in SECONDS and not (match["unit"] == "" and float(match["number"]) == 0)
    ):
        raise ValueError(f"{text!r} is not a duration")
    return timedelta(seconds=float(match["number"]) * SECONDS.get(match["unit"], 0.0))


def in_words(duration: timedelta) -> str:
    """How long something has lasted, roughly: 12 s, 3 min, 5 h, 2 d."""
    seconds = duration.total_seconds()
    unit = next((unit for unit in ("d", "h", "min") if seconds >= SECONDS[unit]), "s")
    return f"{int(seconds / SECONDS[unit])} {unit}"
