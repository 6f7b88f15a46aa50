"""What a check is: a question about both sides that reading answers, with a severity and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from novaops.replication.checks.scene import Scene
from novaops.replication.declaration import Replication
from novaops.replication.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """What a check has found. `remedy` and `severity` stand in for the check's own."""

    message: str
    detail: str | None = None
    remedy: str | None = None
    severity: Severity | None = None


Look = Callable[[Scene], Iterator[Problem]]
Remedy = str | Callable[[Replication], str]
"""What mends it; of a replication, where the remedy is a command that names it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the pre-flight; it changes nothing."""

    id: str
    severity: Severity
    about: str
    """What is right when it finds nothing."""
    remedy: Remedy
    look: Look

    def findings(self, scene: Scene) -> list[Finding]:
        """What it finds; a check that the role may not make is a finding too."""
        try:
            return [
                Finding(
                    self.id,
                    problem.severity or self.severity,
                    problem.message,
                    problem.detail,
                    problem.remedy or self._remedy(scene.replication),
                )
                for problem in self.look(scene)
            ]
        except psycopg.errors.InsufficientPrivilege as error:
            return [
                Finding(
                    self.id,
                    "warning",
                    f"not looked at: {error.diag.message_primary}",
                    f"it would make sure that {self.about}",
                    "connect as a role that may, or GRANT what the message names",
                )
            ]

    def _remedy(self, replication: Replication) -> str:
        return self.remedy if isinstance(self.remedy, str) else self.remedy(replication)


def check(id: str, severity: Severity, about: str, remedy: Remedy) -> Callable[[Look], Check]:
    """Make a check of the function that looks."""
    return lambda look: Check(id, severity, about, remedy, look)
