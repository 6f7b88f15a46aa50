"""The account that the embedded server runs as, and what it can reach."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from novaops.errors import NovaopsError

# Not "postgres": where that account exists it owns the real clusters of the machine, and what the
# embedded server is made to do must not reach them.
ACCOUNTS = ("nobody", "daemon")


def unprivileged_account() -> pwd.struct_passwd | None:
    """The account that the server runs as; None for an ordinary user, who runs it himself."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NovaopsError(
        "PostgreSQL does not run as root, and there is no unprivileged account to run it as",
        detail=f"looked for: {', '.join(ACCOUNTS)}",
        hint="run novaops as an ordinary user",
    )


def reachable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account may pass through the folder and all those above it that exist."""
    return all(_may_pass(p, account) for p in (path, *path.parents) if p.exists())


def _may_pass(folder: Path, account: pwd.struct_passwd) -> bool:
    found = folder.stat()
    if found.st_uid == account.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.pw_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def open_for_reading(root: Path) -> None:
    """Let everybody read the files below a folder that we made, whatever the umask was."""
    for folder, _, names in os.walk(root):
        Path(folder).chmod(0o755)
        for path in (Path(folder) / name for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
