"""Errors for want of objects that the files do not make, and that others may."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.read import Reader, read
from novaops.diagnostics import Diagnostic, DiagnosticsError

# Undefined table, function, column, object, schema; invalid foreign key.
MISSING = frozenset({"42P01", "42883", "42703", "42704", "3F000", "42830"})


class IncompleteError(DiagnosticsError):
    """Errors in the files, some for want of what they do not make; `made` are the objects that they did make."""

    def __init__(self, diagnostics: Sequence[Diagnostic], made: Collection[Address]) -> None:
        super().__init__(diagnostics)
        self.made = frozenset(made)


def miss_something(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether any of them may be about an object that others manage."""
    return any(diagnostic.code in MISSING for diagnostic in diagnostics)


def incomplete(
    errors: Sequence[Diagnostic], connection: psycopg.Connection[Any], readers: Sequence[Reader]
) -> IncompleteError:
    """The error, with what the files have made where they may miss what others manage."""
    if not miss_something(errors):
        return IncompleteError(errors, ())
    with connection.transaction():
        return IncompleteError(errors, read(connection, readers, alone=True).objects.keys())
