"""A throwaway pgbouncer that reads the files before the real one does: pgbouncer has no test of its own.

It runs in a folder of its own, as an account without rights where novaops runs as root, and listens on a
Unix socket there only. The text it gets is the one to be tested with a section [pgbouncer] behind it: by that
header all settings start again from their defaults (so nothing of the real pooler is touched: no port, log,
pid file), while everything before has been read, and refused if it is wrong.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from novaops.db.server_account import unprivileged_account
from novaops.errors import NovaopsError
from novaops.pgbouncer.console import Console, Place, Row
from novaops.pgbouncer.names import quote_user
from novaops.pgbouncer.version import Version

SECONDS = 20.0
PREFIX = "novaops-scratch-run-"
PR_SET_PDEATHSIG = 1
"""include/uapi/linux/prctl.h"""
PORT = 6432
"""Part of the name of the socket; nothing listens on a port."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """What the throwaway pgbouncer made of the files."""

    version: Version
    databases: tuple[Row, ...]
    users: frozenset[str]


def try_out(program: Path, ini: str, userlist: str) -> Scratch:
    """Start the program on the texts (includes written out) and ask what it read.

    Raises `NovaopsError` with what pgbouncer says where it does not take them.
    """
    account = unprivileged_account()
    with _folder() as folder:
        user, password = f"novaops_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
        # First, so that a line at which pgbouncer stops reading does not take it along.
        _write(folder / "userlist.txt", f"{quote_user(user)} {quote_user(password)}\n{userlist}")
        _write(folder / "pgbouncer.ini", f"{ini}\n{_own_settings(folder, user)}")
        if account is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                [program, folder / "pgbouncer.ini"],
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                cwd=folder, env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=_end_with_parent,
            )  # fmt: skip
        try:
            with _console(process, Place(str(folder), PORT, user, password), folder) as console:
                return Scratch(
                    console.version(),
                    tuple(console.show("DATABASES")),
                    frozenset(row["name"] for row in console.show("USERS")) - {user},
                )
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that is gone at the end; what runs that were killed have left is removed first.

    A run holds a lock on its folder, and gives it the final name only then: one without a lock is left over.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), _locked(left):
            shutil.rmtree(left)
    unnamed = Path(tempfile.mkdtemp(prefix="novaops-scratch-new-"))
    with _locked(unnamed):
        folder = unnamed.rename(unnamed.with_name(f"{PREFIX}{secrets.token_hex(4)}"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises `OSError` where another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _end_with_parent() -> None:
    """In the new process: end when novaops does, even if that is killed (prctl(2), Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _own_settings(folder: Path, user: str) -> str:
    settings = {
        "unix_socket_dir": str(folder),
        "listen_port": str(PORT),
        "auth_type": "scram-sha-256",
        "auth_file": str(folder / "userlist.txt"),
        "admin_users": user,
    }
    return "[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def _console(process: subprocess.Popen[bytes], place: Place, folder: Path) -> Console:
    deadline = time.monotonic() + SECONDS
    while True:
        if process.poll() is not None:
            raise NovaopsError(
                "pgbouncer does not take the files",
                detail=_said(folder),
                hint="nothing was changed; correct what it names (line numbers are those of the file with its "
                "includes written out)",
            )
        try:
            return Console.open(place)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise NovaopsError(
                    "the scratch pgbouncer does not answer", detail=str(error).strip()
                ) from None
        time.sleep(0.02)


def _said(folder: Path) -> str:
    """Errors of its log, without the folder; a line may repeat a value, so one with a password is left out."""
    lines = (folder / "output").read_text(errors="replace").splitlines()
    told = [
        line.split("] ", 1)[-1]
        for line in lines
        if any(f" {w} " in line for w in ("ERROR", "FATAL", "WARNING"))
    ]
    shown = [line for line in told if "password" not in line]
    return "\n".join(shown).replace(f"{folder}/", "")


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
