"""What pgbouncer writes to its log while it reads its files: before 1.25 the only place where it says that it failed."""

from __future__ import annotations

import time
from pathlib import Path

from novaops.pgbouncer.grammar import Ini

SIGNAL = "got SIGHUP"
SIGNAL_SECONDS = 3.0
READING_SECONDS = 0.5
"""From the line about the signal to the end of reading, which is a matter of milliseconds and has no line of its own."""
SIGNS = (
    "config file loading failed",
    "syntax error in configuration",
    "invalid value ",
    "unknown parameter",
    "unknown section",
    "broken auth file",
    "could not open auth_file",
    "too long in auth file",
)


class LogWatch:
    """The log from now on. Where it may not be read, it tells nothing: the comparison with SHOW still does."""

    def __init__(self, ini: Ini) -> None:
        self._path = Path(ini.setting("logfile")) if ini.setting("logfile") else None
        self._start = self._size()

    def errors(self, *, patient: bool = False) -> list[str]:
        """The lines that say that files could not be read; none of them shows a value that may be a secret.

        `patient` waits until the log says that a signal has come, which is not answered otherwise.
        """
        if patient:
            self._wait_for_signal()
        lines = self._lines() or ()
        told = [line.split("] ", 1)[-1] for line in lines if any(sign in line for sign in SIGNS)]
        return [f"its log: {line}" for line in told if "password" not in line]

    def _wait_for_signal(self) -> None:
        deadline = time.monotonic() + SIGNAL_SECONDS
        while (lines := self._lines()) is not None and time.monotonic() < deadline:
            if any(SIGNAL in line for line in lines):
                time.sleep(READING_SECONDS)
                return
            time.sleep(0.05)

    def _lines(self) -> list[str] | None:
        """What was written since; None where that cannot be known."""
        if self._path is None or self._start is None:
            return None
        try:
            with self._path.open("rb") as file:
                file.seek(self._start)
                return file.read(1 << 20).decode(errors="replace").splitlines()
        except OSError:
            return None

    def _size(self) -> int | None:
        try:
            return self._path.stat().st_size if self._path else None
        except OSError:
            return None
