"""The hazards by name: what consent is given for, and what it covers."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from novaops.errors import UsageError
from novaops.planning.plan import Guard, Hazard, Plan


@dataclass(frozen=True, slots=True)
class HazardCode:
    """A hazard's name and code are interchangeable wherever people write one."""

    name: str
    code: str
    title: str


HAZARDS: Mapping[str, HazardCode] = {
    name: HazardCode(name, code, title)
    for name, code, title in [
        ("data-loss", "H101", "rows or values would be lost"),
        ("narrowing", "H102", "values would not fit the new type"),
        ("undeclared-drop", "H103", "an object that nobody declared would be dropped"),
        ("not-null", "H111", "a column that is to be NOT NULL holds NULLs"),
        ("unique", "H112", "rows violate a unique or exclusion constraint that is to be added"),
        ("foreign-key", "H113", "rows violate a foreign key that is to be added"),
        ("check", "H114", "rows violate a check, a domain, a partition bound or a limit that is to be"),
        ("table-lock", "H201", "a lock would keep others from the table"),
        ("rewrite", "H202", "the whole table would be rewritten"),
        ("long-scan", "H203", "the whole table would be scanned under a lock"),
        ("offline", "H204", "PostgreSQL has no online form of the change"),
        ("gap", "H205", "an object would be missing between two commits"),
        ("access-loss", "H301", "someone would lose access"),
        ("access-grant", "H302", "someone would gain access"),
        ("row-security", "H303", "row-level security would be weakened"),
        ("behaviour", "H401", "something would behave differently without looking different"),
        (
            "replication",
            "H402",
            "rows that are replicated would not be taken any more, and replication would stop",
        ),
        ("unmanaged-dependant", "H501", "an object that novaops does not manage depends on the change"),
    ]
}

EVERYTHING = "all"
BOTH_SIDES = "replication"
"""The hazard that another command takes away, instead of consent: it changes both databases."""
REFUSED_BY_ROWS = frozenset({"not-null", "unique", "foreign-key", "check"})
"""Hazards that lose nothing: PostgreSQL refuses the statement. Only consent by name lets it try."""


def hazard_code(text: str) -> HazardCode:
    """The hazard of that name or code."""
    wanted = text.strip().lower()
    for hazard in HAZARDS.values():
        if wanted in (hazard.name, hazard.code.lower()):
            return hazard
    known = [*HAZARDS, EVERYTHING, *(h.code.lower() for h in HAZARDS.values())]
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {_spelled(near[0])}?" if near else f"one of {', '.join(HAZARDS)}"
    raise UsageError(f"there is no hazard {text!r}", hint=hint)


def consent(text: str) -> str:
    """What one `--allow` permits, written as HAZARD, HAZARD:OBJECT or "all", by the hazard's name."""
    name, colon, identity = text.partition(":")
    if name.strip().lower() == EVERYTHING and not colon:
        return EVERYTHING
    if colon and not identity.strip():
        raise UsageError(
            f"{text!r} names no object after the colon", hint=f"--allow {name} allows it everywhere"
        )
    hazard = hazard_code(name).name
    return f"{hazard}:{identity.strip()}" if colon else hazard


def with_consent(plan: Plan, given: Mapping[str, str]) -> Plan:
    """The plan with the hazards allowed that `given` permits, and the others blocked.

    `given` are consents (of `consent()`) and their reasons, "" where none was told; the plan keeps both.
    What is allowed even if it does harm is not looked at again.
    """

    def marked(hazards: Iterable[Hazard]) -> tuple[Hazard, ...]:
        return tuple(_marked(h, given) for h in hazards)

    def open_guards(guards: Iterable[Guard]) -> tuple[Guard, ...]:
        return tuple(g for g in guards if given.keys().isdisjoint(_covering(g.hazard, g.object)))

    return replace(
        plan,
        consents={**plan.consents, **given},
        changes=tuple(replace(c, hazards=marked(c.hazards)) for c in plan.changes),
        statements=tuple(
            replace(s, hazards=marked(s.hazards), guards=open_guards(s.guards)) for s in plan.statements
        ),
        pre_migrations=tuple(replace(m, hazards=marked(m.hazards)) for m in plan.pre_migrations),
        blocked=tuple(h for h in marked(plan.blocked) if not h.allowed),
    )


def covers(given: Collection[str], found: Hazard) -> bool:
    """Whether one of the consents is for the hazard."""
    return any(consent in given for consent in _consents(found))


def _marked(found: Hazard, given: Mapping[str, str]) -> Hazard:
    if found.allowed or not covers(given, found):
        return found
    reasons = (given[consent] for consent in _consents(found) if consent in given)
    return replace(found, allowed=True, reason=next((reason for reason in reasons if reason), None))


def _consents(found: Hazard) -> list[str]:
    """The consents that cover a hazard, the closest first."""
    covering = _covering(found.hazard, found.object, *found.also)
    return [each for each in covering if each != EVERYTHING or not found.by_name]


def _covering(hazard: str, *subjects: str) -> list[str]:
    named = [*(f"{hazard}:{subject}" for subject in subjects), hazard]
    return named if hazard in REFUSED_BY_ROWS else [*named, EVERYTHING]


def _spelled(name: str) -> str:
    return name.upper() if name.startswith("h") else name
