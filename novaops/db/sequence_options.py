"""Options of sequences as CREATE SEQUENCE, ALTER SEQUENCE and identity columns write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from novaops.db.identifiers import quote_literal

# Text of each option, and what puts it back; the start has no word for that and is always a number.
CLAUSES = {
    "increment": ("INCREMENT BY {}", "INCREMENT BY 1"),
    "minvalue": ("MINVALUE {}", "NO MINVALUE"),
    "maxvalue": ("MAXVALUE {}", "NO MAXVALUE"),
    "start": ("START WITH {}", ""),
    "cache": ("CACHE {}", "CACHE 1"),
    "cycle": ("CYCLE", "NO CYCLE"),
}


def clauses(options: Mapping[str, Any]) -> list[str]:
    """The options that are not the default, for a new sequence."""
    return [text.format(options[name]) for name, (text, _) in CLAUSES.items() if name in options]


def turned(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether it counts in the other direction, for which other limits are the default."""
    return bool((old.get("increment", 1) > 0) != (new.get("increment", 1) > 0))


def changed_clauses(
    old: Mapping[str, Any], new: Mapping[str, Any], old_start: int, new_start: int
) -> list[str]:
    """The options that differ; `old_start` and `new_start` are the values with defaults filled in."""
    found = []
    for name, (text, default) in CLAUSES.items():
        if name == "start":
            if old_start != new_start:
                found.append(text.format(new_start))
        elif old.get(name) != new.get(name) or (turned(old, new) and name in ("minvalue", "maxvalue")):
            found.append(text.format(new[name]) if name in new else default)
    if turned(old, new):
        # Where it stands is out of the new limits.
        found.append("RESTART")
    return found


def moved(
    sequence: str, old: Mapping[str, Any], new: Mapping[str, Any], old_start: int, new_start: int
) -> list[str]:
    """What has to go before a change of limits that its old start is out of: it may still stand there."""
    found = []
    for limit, opposite, out in (("minvalue", "maxvalue", int.__lt__), ("maxvalue", "minvalue", int.__gt__)):
        if turned(old, new) or limit not in new or not out(old_start, new[limit]):
            continue
        if opposite in old and out(old[opposite], new_start):
            text, default = CLAUSES[opposite]
            found.append(
                f"ALTER SEQUENCE {sequence} {text.format(new[opposite]) if opposite in new else default}"
            )
        beyond = f"last_value {'<' if limit == 'minvalue' else '>'} {new[limit]}"
        setval = f"pg_catalog.setval({quote_literal(sequence)}, {new_start}, false)"
        found.append(f"SELECT {setval} FROM {sequence} WHERE {beyond}")
    return found


def catch_up(sequence: str, table: str, column: str, start: int, increment: int) -> str:
    """Query that moves a sequence to the last value of the column that it is to number on."""
    last, reached = ("max", ">=") if increment > 0 else ("min", "<=")
    value = f"{last}({column})"
    return (
        f"SELECT pg_catalog.setval({quote_literal(sequence)}, {value}::bigint) FROM {table}"
        f" HAVING {value} {reached} {start}"
    )
