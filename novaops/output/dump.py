"""Where dumps go: a folder of files, or stdout when that is private enough."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from novaops.errors import UsageError
from novaops.invocation import command_line

PRIVATE = 0o600


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write the texts by relative path, 0600 each, into a new or empty folder."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="name a new folder, or remove what is in it")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w", encoding="utf-8"
        ) as file:
            file.write(text)


def check_private() -> None:
    """Refuse to write secrets to a terminal, or to a file that others may read."""
    if sys.stdout.isatty():
        raise UsageError(
            "secrets are not written to a terminal",
            hint=f"write to a file: umask 077; {command_line('dump', '--with-secrets')} > FILE",
        )
    mode = os.fstat(sys.stdout.fileno()).st_mode
    if stat.S_ISREG(mode) and stat.S_IMODE(mode) & ~PRIVATE:
        raise UsageError(
            f"stdout is a file that others may read (mode {stat.S_IMODE(mode):o})",
            hint=f"umask 077; {command_line('dump', '--with-secrets')} > NEWFILE",
        )
