"""What a build reports besides its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novaops.desired.attempt import Failure
from novaops.desired.explain import SHOWN
from novaops.desired.missing import MISSING
from novaops.desired.names import Declared
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic


def left_out(failure: Failure, role: str) -> Diagnostic:
    """Report a statement that names a role that does not exist."""
    statement = failure.task.statement
    return statement.file.diagnostic(
        statement.start,
        f'{" ".join(statement.words[:2])}: left out, role "{role}" does not exist',
        length=len(statement.text.partition("\n")[0]),
        severity="notice",
        code=failure.code,
        secret=statement.secret,
    )


def kept(statement: Statement, container: Declared) -> Diagnostic:
    """Report a schema or an extension that the shadow had before and that stays."""
    return statement.file.diagnostic(
        statement.start,
        f"{' '.join(statement.words[:2])}: left out, the shadow has the {container} already",
        length=len(statement.text.partition("\n")[0]),
        severity="notice",
    )


def unknown_setting(failure: Failure) -> Diagnostic:
    """Report a SET of a parameter that the server does not know."""
    statement = failure.task.statement
    return statement.file.diagnostic(
        statement.start,
        f"left out: {failure.message}",
        length=len(statement.text),
        severity="notice",
        code=failure.code,
    )


def with_note(found: list[Diagnostic], unprepared: Sequence[str]) -> list[Diagnostic]:
    """Return the diagnostics; those that miss something say what could not be copied from the target."""
    if not unprepared:
        return found
    note = f"could not be copied from the target: {'; '.join(unprepared[:SHOWN])}"
    if len(unprepared) > SHOWN:
        note += f"; and {len(unprepared) - SHOWN} more"
    return [replace(d, notes=(*d.notes, note)) if d.code in MISSING else d for d in found]
