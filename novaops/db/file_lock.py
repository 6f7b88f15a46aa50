"""Locks between processes: flock(2), which ends with the process at the latest."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType


class FileLock:
    """A lock on an existing file or folder; a context manager that releases it.

    Two objects exclude each other in one process, too. flock(2) grants a shared lock whenever nobody
    holds an exclusive one, whoever waits for that, so the holder of a shared lock may take a second one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> FileLock:
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def wait(self) -> None:
        """Take the lock for this object alone, and wait until it is free."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def share(self) -> None:
        """Take the lock along with others, or give up having it alone; wait for one who has it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Take the lock for this object alone if nobody else has it; otherwise it is not held any more."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
