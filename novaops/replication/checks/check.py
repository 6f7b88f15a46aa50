"""What a check is: a question about both sides that reading answers, with a severity and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from novaops.replication.checks.scene import Scene
from novaops.replication.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """What a check has found. `remedy` and `severity` stand in for the check's own."""

    message: str
    detail: str | None = None
    remedy: str | None = None
    severity: Severity | None = None


Look = Callable[[Scene], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the pre-flight; it changes nothing."""

    id: str
    severity: Severity
    about: str
    """What is right when it finds nothing."""
    remedy: str
    look: Look

    def findings(self, scene: Scene) -> Iterable[Finding]:
        for problem in self.look(scene):
            yield Finding(
                self.id,
                problem.severity or self.severity,
                problem.message,
                problem.detail,
                problem.remedy or self.remedy,
            )


def check(id: str, severity: Severity, about: str, remedy: str) -> Callable[[Look], Check]:
    """Make a check of the function that looks."""
    return lambda look: Check(id, severity, about, remedy, look)
