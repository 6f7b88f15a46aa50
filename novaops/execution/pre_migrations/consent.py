"""What in a pre-migration may do harm, and so needs consent: `data-loss:pre-migrations/0003_fix.sql:12`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from novaops.desired.destructive import UNKNOWN, Judgement, judge
from novaops.desired.split import Statement
from novaops.execution.pre_migrations.files import Migration
from novaops.execution.pre_migrations.functions import Reach, reach
from novaops.planning.hazards import hazard
from novaops.planning.plan import Hazard

PLACE = "pre-migrations"
"""The folder in the names of hazards, wherever it is: consent in a script outlives a move."""


def hazards(
    connection: psycopg.Connection[Any], migrations: Sequence[Migration]
) -> Mapping[str, tuple[Hazard, ...]]:
    """By the name of the file, for those that have any; asks the server which functions may change something."""
    judged = {m.name: [(s, judge(s)) for s in m.statements] for m in migrations}
    functions = reach(connection, [j for pairs in judged.values() for _, j in pairs])
    found = {}
    for name, pairs in judged.items():
        told = [_hazard(name, s, j, functions) for s, j in pairs]
        found[name] = tuple(dict.fromkeys(h for h in told if h is not None))
    return {name: told for name, told in found.items() if told}


def _hazard(
    name: str, statement: Statement, judgement: Judgement, functions: Mapping[str, Reach]
) -> Hazard | None:
    subject = f"{PLACE}/{name}:{statement.source.line}"
    if judgement.hazard is not None:
        return hazard(judgement.hazard, subject, judgement.what)
    unknown = {n for n in judgement.calls if n in functions and functions[n].changes}
    unknown |= judgement.opaque - functions.keys()
    if not unknown:
        return None
    calls = ", ".join(f"{n}()" for n in sorted(unknown))
    return hazard(UNKNOWN, subject, f"calls {calls}, which may change anything")
