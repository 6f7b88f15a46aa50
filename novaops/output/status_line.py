"""The line that says what goes on: a text, how long it has taken, how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from novaops.durations import in_words
from novaops.output.terminal import visible

BAR = 16
"""Cells of the bar."""
SPINNER = 3
"""Cells that the spinner before the line takes, and the margin after it."""
SOON = 1.0
"""Seconds after which it is worth saying how long something has taken."""


@dataclass(slots=True)
class StatusLine:
    """Drawn anew by rich several times a second, so that the time goes on by itself."""

    text: str
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    phase: str = ""
    done: float | None = None
    first: tuple[float, float] = (0.0, 0.0)
    """When the phase was first heard of, and what was done of it then."""

    def __post_init__(self) -> None:
        self.started = self.clock()

    def advance(self, phase: str, done: float | None) -> None:
        """Note how far it is; each phase begins at nothing."""
        if phase != self.phase:
            self.first = (self.clock(), done or 0.0)
        self.phase, self.done = phase, done

    def __str__(self) -> str:
        """In words, for where nothing can be drawn."""
        share = [] if self.done is None else [f"{self.done:.0%}"]
        return " ".join([visible(self.text), *([visible(self.phase)] if self.phase else []), *share])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        right = self._right()
        left = Text(visible(self.text))
        left.truncate(max(console.width - right.cell_len - SPINNER, 10), overflow="ellipsis")
        whole = Text.assemble(left, right)
        whole.truncate(max(console.width - SPINNER, 10), overflow="ellipsis")
        yield whole

    def _right(self) -> Text:
        elapsed = self.clock() - self.started
        if not self.phase:
            return Text(f"   {in_words(timedelta(seconds=elapsed))}" if elapsed >= SOON else "", "dim")
        parts: list[str | tuple[str, str]] = [f"   {visible(self.phase)}"]
        if self.done is not None:
            full = round(min(self.done, 1.0) * BAR)
            parts += ["  ", ("━" * full, "green"), ("━" * (BAR - full), "bright_black")]
            parts.append(f" {self.done:.0%}{self._left()}")
        return Text.assemble(*parts)

    def _left(self) -> str:
        """How long the phase will go on at the speed that it has had."""
        when, before = self.first
        if self.done is None or self.done <= before:
            return ""
        seconds = (self.clock() - when) * (1 - self.done) / (self.done - before)
        return f"  ETA {in_words(timedelta(seconds=seconds))}"
