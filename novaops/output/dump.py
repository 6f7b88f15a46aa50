"""Where dumps go: a folder of files, a file, or stdout when that is private enough."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from novaops.errors import UsageError
from novaops.invocation import command_line
from novaops.output.terminal import visible

PRIVATE = 0o600


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write the texts by relative path, 0600 each, into a new or empty folder.

    The files get their place when all are written: a dump that was interrupted leaves none.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="name a new folder, or remove what is in it")
    existed = folder.exists()
    unfinished = folder / f".{secrets.token_hex(4)}" if existed else _unfinished(folder)
    try:
        unfinished.mkdir(parents=True)
        for name, text in files.items():
            path = unfinished / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, text, PRIVATE)
        if existed:  # it keeps its owner and mode, and may be the working directory
            for child in list(unfinished.iterdir()):
                child.rename(folder / child.name)
            unfinished.rmdir()
        else:
            unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _sync_folder(folder.parent)


def write_file(path: Path, text: str, private: bool) -> None:
    """Write the text to the path, which holds all of it or what it held before.

    A private file is 0600; another keeps the mode that it has.
    """
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        path.write_text(text, encoding="utf-8")
        return
    mode = PRIVATE if private else stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    target = path.resolve()  # a symbolic link stays one
    unfinished = _unfinished(target)
    try:
        _write(unfinished, text, PRIVATE if private else 0o666)
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def write_omitted(omitted: Sequence[str]) -> None:
    """Say on stderr what the dump does not hold."""
    print("not in the dump: " + "\n                 ".join(map(visible, omitted)), file=sys.stderr)


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


def _unfinished(path: Path) -> Path:
    """A name beside the path, in the same file system."""
    return path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")


def _write(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
