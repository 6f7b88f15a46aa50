"""Consents that stand in novaops.toml, each for one hazard, with the reason and maybe an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from novaops.errors import UsageError
from novaops.planning.hazard_codes import EVERYTHING, consent

KEYS = {"hazard": str, "object": str, "reason": str, "until": date}
SUFFIX = 'write [[allow]] with hazard = "data-loss", object = "public.t.c", reason = "…" and maybe until = 2027-01-31'


def standing(entries: object, today: date) -> dict[str, str]:
    """Consents with their reasons, less those that have ended; `entries` is what `[[allow]]` holds.

    Raises `UsageError` where one is without object or reason: what stands in a file is read by others.
    """
    if not isinstance(entries, list):
        raise UsageError("allow in novaops.toml is not a list of consents", hint=SUFFIX)
    found = {}
    for number, entry in enumerate(entries, 1):
        _check(number, entry)
        if "until" not in entry or today <= entry["until"]:
            found[consent(f"{entry['hazard']}:{entry['object']}")] = entry["reason"]
    return found


def _check(number: int, entry: Any) -> None:
    at = f"[[allow]] number {number} in novaops.toml"
    given: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
    if unknown := sorted(given.keys() - KEYS.keys()):
        raise UsageError(f"{at}: unknown key {unknown[0]}", hint=SUFFIX)
    for key, kind in KEYS.items():
        if key in given and (not isinstance(given[key], kind) or isinstance(given[key], datetime)):
            raise UsageError(f"{at}: {key} is not a {'date' if kind is date else 'text'}", hint=SUFFIX)
        if key != "until" and not str(given.get(key, "")).strip():
            raise UsageError(f"{at} has no {key}", hint=SUFFIX)
    if given["hazard"].strip().lower() == EVERYTHING:
        raise UsageError(f"{at} allows everything, which only --allow may", hint=SUFFIX)


def with_reasons(given: Iterable[str] | Mapping[str, str], reason: str = "") -> dict[str, str]:
    """Consents as people write them (HAZARD[:OBJECT]) by hazard's name, with reasons of their own or one for all."""
    reasons = given if isinstance(given, Mapping) else {}
    return {consent(text): reasons.get(text, reason) for text in given}
