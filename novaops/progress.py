"""How the library tells people what goes on, without knowing who listens."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Reporter(Protocol):
    """Hears what the library is doing; every text is one line and holds no secret."""

    def phase(self, text: str) -> AbstractContextManager[None]:
        """Something that may take a while goes on inside the context ("reading nova_memory")."""

    def step(self, index: int, total: int, sql: str) -> None:
        """Statement `index` of `total`, counted from 1, is about to run."""

    def progress(self, phase: str, done: float | None) -> None:
        """What the step is doing now, and the share of that which is done (0 to 1; None: unknown)."""

    def note(self, text: str) -> None:
        """Something worth knowing has happened."""

    def waiting(self, text: str) -> None:
        """Work stands still, and for whom ("waiting for a lock on …: held by pid 4711")."""


class Silent:
    """The reporter for callers that want to hear nothing."""

    def phase(self, text: str) -> AbstractContextManager[None]:
        return nullcontext()

    def step(self, index: int, total: int, sql: str) -> None:
        pass

    def progress(self, phase: str, done: float | None) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def waiting(self, text: str) -> None:
        pass
