"""Tells people on stderr what goes on: a live line on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import TracebackType

from rich.status import Status
from rich.text import Text

from novaops.output.terminal import console, visible

PATIENCE = 1.0
"""Seconds that something may take in silence where no live line can be shown."""


class Progress:
    """The reporter of the commands; as a context it cleans the terminal up in every case."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = console(stderr=True)
        self._quiet = quiet
        self._live = not quiet and self._console.is_terminal and not self._console.is_dumb_terminal
        self._phases: list[str] = []
        self._status: Status | None = None
        self._timer: Timer | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._clear()

    @contextmanager
    def phase(self, text: str) -> Iterator[None]:
        """Show the text while the context lasts."""
        self._phases.append(text)
        self._show(text)
        try:
            yield
        finally:
            self._phases.pop()
            self._clear()
            if self._phases:
                self._show(self._phases[-1])

    def step(self, index: int, total: int, sql: str) -> None:
        """Show the statement, cut to one line."""
        first = visible(sql.strip().partition("\n")[0])
        self._show(f"{index}/{total}  {first}")

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._print(text, "")

    def waiting(self, text: str) -> None:
        """Print a line that stays: the work stands still."""
        self._print(text, "yellow")

    def _print(self, text: str, style: str) -> None:
        if not self._quiet:
            self._console.print(Text(visible(text), style))

    def _show(self, text: str) -> None:
        if self._live:
            line = Text(visible(text))
            line.truncate(max(self._console.width - 4, 10), overflow="ellipsis")
            if self._status is None:
                self._status = Status(line, console=self._console)
                self._status.start()
            else:
                self._status.update(line)
        elif not self._quiet:
            self._clear()
            self._timer = Timer(PATIENCE, self._say, [text])
            self._timer.daemon = True
            self._timer.start()

    def _say(self, text: str) -> None:
        print(f"{visible(text)} …", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._status is not None:
            self._status.stop()
            self._status = None
