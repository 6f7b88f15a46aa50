"""What pgbouncer writes to its log while it reads its files: before 1.25 the only place where it says that it failed."""

from __future__ import annotations

from pathlib import Path

from novaops.pgbouncer.grammar import Ini

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

    def errors(self) -> list[str]:
        """The lines that say that files could not be read; none of them shows a value that may be a secret."""
        if self._path is None or self._start is None:
            return []
        try:
            with self._path.open("rb") as file:
                file.seek(self._start)
                text = file.read(1 << 20).decode(errors="replace")
        except OSError:
            return []
        lines = [line.split("] ", 1)[-1] for line in text.splitlines() if any(sign in line for sign in SIGNS)]
        return [f"its log: {line}" for line in lines if "password" not in line]

    def _size(self) -> int | None:
        try:
            return self._path.stat().st_size if self._path else None
        except OSError:
            return None
