"""Tells people on stderr what goes on: a live line on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from types import TracebackType

from rich.status import Status
from rich.text import Text

from novaops.output.status_line import StatusLine
from novaops.output.terminal import console, visible

PATIENCE = 1.0
"""Seconds that something may take in silence where no live line can be shown."""
RARELY = 60.0
"""The longest time between two lines about the same phase there; it doubles from one to the next."""


class Progress:
    """The reporter of the commands; as a context it cleans the terminal up in every case."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = console(stderr=True)
        self._quiet = quiet
        self._live = not quiet and self._console.is_terminal and not self._console.is_dumb_terminal
        self._phases: list[str] = []
        self._status: Status | None = None
        self._timer: Timer | None = None
        self._lock = Lock()
        self._line = StatusLine("")
        self._said = ""

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
        self._clear()
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

    def progress(self, phase: str, done: float | None) -> None:
        """Show how far the step is; another thread than that of the steps says so."""
        self._line.advance(phase, done)

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
        self._line = StatusLine(text)
        if self._live:
            if self._status is None:
                self._status = Status(self._line, console=self._console)
                self._status.start()
            else:
                self._status.update(self._line)
        elif not self._quiet:
            with self._lock:
                if self._timer is None:
                    self._wait(PATIENCE)

    def _wait(self, seconds: float) -> None:
        timer = Timer(seconds, lambda: self._say(timer, seconds))
        timer.daemon = True
        timer.start()
        self._timer = timer

    def _say(self, timer: Timer, waited: float) -> None:
        """Print what goes on now, if that is news, and come back later."""
        with self._lock:
            if self._timer is not timer:
                return
            text = str(self._line)
            if text != self._said:
                self._said = text
                print(f"{text} …", file=sys.stderr, flush=True)
            self._wait(min(2 * waited, RARELY))

    def _clear(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
            self._said = ""
        if self._status is not None:
            self._status.stop()
            self._status = None
