"""Findings about a place in a file, shown with the line and a caret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from novaops.errors import NovaopsError


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `text` is the source line, `length` how many characters the caret underlines."""

    source: Source
    message: str
    severity: str = "error"
    code: str | None = None
    """SQLSTATE, or a code of novaops."""
    text: str | None = None
    length: int = 1
    notes: tuple[str, ...] = ()
    hint: str | None = None

    def __str__(self) -> str:
        weight = "" if self.severity == "notice" else f"{self.severity}: "
        return f"{self.source}: {weight}{self.message}"


class DiagnosticsError(NovaopsError):
    """Errors in the files, all of them at once."""

    def __init__(self, diagnostics: Sequence[Diagnostic], *, done: str | None = None) -> None:
        """`done` says what has happened before the error, where that is not nothing."""
        first = diagnostics[0]
        super().__init__(f"{first.source}: {first.message}", detail=done, hint=first.hint)
        self.diagnostics = tuple(diagnostics)
