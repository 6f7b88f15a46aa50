"""Files that are replaced as a whole: never half written, never with another owner or wider mode for a moment."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from novaops.errors import NovaopsError
from novaops.invocation import command_line

ACCOUNT = "postgres"
"""The account that Debian's and most other packages run pgbouncer as."""
PRIVATE = 0o640
"""The mode of files that are new: Debian's for pgbouncer's."""
WAIT_SECONDS = 300.0
POLL_SECONDS = 0.05
TRIES = 10
"""How often a command starts over because somebody edits its files."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file is, and who may read it."""

    uid: int
    gid: int
    mode: int


def real(path: Path) -> Path:
    """The file itself: a link is not replaced by what it leads to.

    Raises `NovaopsError` for a link by which another user would have root write where he may not himself.
    """
    found = Path(os.path.realpath(path))
    if path.is_symlink():
        link, folder = path.lstat(), found.parent
        if link.st_uid not in (0, os.geteuid()) and folder.is_dir() and folder.stat().st_uid != link.st_uid:
            raise NovaopsError(
                f"{path} is a link of another user to {found}, in a folder that is not his",
                hint="name the file itself in [pgbouncer] of novaops.toml, or make the link yours",
            )
    return found


def owner_of(path: Path, *, private: bool = True) -> Owner | None:
    """None where there is no such file. A private one that everybody may read is written again without that."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    mode = stat.S_IMODE(found.st_mode)
    return Owner(found.st_uid, found.st_gid, mode & ~0o007 if private else mode)


def fresh_owner(path: Path) -> Owner:
    """The owner of a file that does not exist yet: the account that runs pgbouncer, where novaops may give it away.

    That is the owner of the folder; of a folder that belongs to root, which pgbouncer refuses to run as, it is `ACCOUNT`.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), PRIVATE)
    folder = path.parent.stat()
    if folder.st_uid != 0:
        return Owner(folder.st_uid, folder.st_gid, PRIVATE)
    try:
        account = pwd.getpwnam(ACCOUNT)
    except KeyError:
        return Owner(0, 0, PRIVATE)
    return Owner(account.pw_uid, account.pw_gid, PRIVATE)


def read(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def need_writable(paths: Iterable[Path]) -> None:
    """Refuse before anything is changed where a file could not be replaced: that takes its folder."""
    for path in paths:
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise NovaopsError(
                f"nothing can be written to {path.parent}, where {path.name} is",
                hint="run novaops as root, or as a user who may write there",
            )


class EditedMeanwhile(NovaopsError):
    """Somebody has edited a file after novaops read it; the command starts over from the new text."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was edited while novaops worked on it",
            detail="novaops overwrites no text that it has not read",
            hint=f"run the command again when nobody edits the file; {command_line('alias check')} shows what is served",
        )


def need_unedited(path: Path, text: bytes | None) -> None:
    """Raise `EditedMeanwhile` unless the file still holds `text` (None: does not exist)."""
    if read(path) != text:
        raise EditedMeanwhile(path)


def replace(path: Path, data: bytes, owner: Owner, check: Callable[[], None] | None = None) -> None:
    """Put `data` in the place of the file, by one rename; owner, group and mode are set before it.

    `check` is called right before the rename; the file stays as it is if `check` raises.
    The text lies in the same folder under the name `unfinished(path)` first; what a run that was killed
    left there is overwritten.
    """
    beside = unfinished(path)
    with suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            found = os.fstat(file.fileno())
            if (found.st_uid, found.st_gid) != (owner.uid, owner.gid):
                os.chown(file.fileno(), owner.uid, owner.gid)
            os.fchmod(file.fileno(), owner.mode)
            os.fsync(file.fileno())
        if check is not None:
            check()
        beside.rename(path)
    except EditedMeanwhile:
        remove(beside)
        raise
    except PermissionError:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise NovaopsError(
            f"{path} cannot be replaced with its owner and group kept",
            detail="novaops writes the new text beside the file, gives it to the same owner and renames it",
            hint="run novaops as root, or as the user that owns the file",
        ) from None
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file that may be there."""
    with suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)


def unfinished(path: Path) -> Path:
    """Where the next text of a file is written before it takes the place of that."""
    return path.with_name(f".{path.name}.novaops-new")


def pending_mark(path: Path) -> Path:
    """The mark of a change that has begun: beside the file while that may be other than what is served.

    A secret that was not read yet shows nowhere (SHOW USERS has none), so a run that was killed has to be
    remembered.
    """
    return path.with_name(f".{path.name}.novaops-pending")


def set_mark(path: Path) -> None:
    """Make the mark last, before anything that it is about."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    sync_folder(path.parent)


def backup_of(path: Path) -> Path:
    """Where the text that a change has replaced is kept, as readable as the file."""
    return path.with_name(f"{path.name}.novaops-backup")


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(
    folders: Iterable[Path], waiting: Callable[[str], None], seconds: float = WAIT_SECONDS
) -> Iterator[None]:
    """Hold the folders against other runs of novaops, for as long as the context lasts.

    The lock is on the folder itself (flock(2) takes any descriptor): it leaves no file, and it goes with the
    process. Folders are taken in one order, so that two runs never wait for each other.
    """
    with ExitStack() as held:
        for folder in sorted({real(f) for f in folders}):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, descriptor)
            _take(descriptor, folder, waiting, seconds)
        yield


def _take(descriptor: int, folder: Path, waiting: Callable[[str], None], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    said = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        if time.monotonic() > deadline:
            raise NovaopsError(
                f"another novaops is working in {folder} and does not end",
                hint="look for it (fuser -v names the process), then try again",
            )
        if not said and time.monotonic() > deadline - seconds + 1:
            waiting(f"waiting for another novaops that works in {folder}")
            said = True
        time.sleep(POLL_SECONDS)
