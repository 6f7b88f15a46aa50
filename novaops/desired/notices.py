"""What a build reports besides its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novaops.desired.attempt import Failure
from novaops.desired.explain import SHOWN
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


def with_note(found: Diagnostic, unprepared: Sequence[str]) -> Diagnostic:
    """Return the diagnostic with a note that says what could not be copied from the target."""
    note = f"could not be copied from the target: {'; '.join(unprepared[:SHOWN])}"
    more = len(unprepared) - SHOWN
    return replace(found, notes=(*found.notes, f"{note}; and {more} more" if more > 0 else note))
