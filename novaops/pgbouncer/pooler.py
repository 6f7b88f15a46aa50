"""The pgbouncer that runs: where it listens, what it serves, and how it is told to read its files again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from novaops.config import Setting, run_password_command
from novaops.errors import NovaopsError
from novaops.pgbouncer.console import Console, Place, Row, open_console, socket_account
from novaops.pgbouncer.grammar import Entry, Ini
from novaops.pgbouncer.inventory import Inventory, Settings
from novaops.pgbouncer.names import EVERYTHING, RESERVED
from novaops.pgbouncer.userlist import Userlist

DEFAULT_PORT = 6432
SIGNAL_SECONDS = 5.0
"""How long a reload by signal may take to show; it is not answered."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that the pooler serves otherwise than its files say."""

    name: str
    message: str
    restart: bool = False
    """Whether a RELOAD cannot mend it."""
    state: bool = False
    """Whether somebody has ordered it by the console (DISABLE, PAUSE), so that no file says it."""


@dataclass(frozen=True, slots=True)
class Served:
    """What SHOW DATABASES, USERS and CONFIG say."""

    databases: Mapping[str, Row]
    users: frozenset[str]
    config: Mapping[str, Row]


class Pooler:
    """The running pgbouncer, seen from its ini file. Open for as long as a command works with it.

    `started_with` is the ini that says where it listens, if that is not the one that it is compared with.
    """

    def __init__(self, settings: Settings, ini: Ini, started_with: Ini | None = None) -> None:
        self.settings = settings
        self.ini = ini
        known = started_with or ini
        self.pid = _pid(known)
        opened = open_console(list(_places(settings, known))) if known.entries else "there is no ini file"
        self.console: Console | None = None if isinstance(opened, str) else opened
        self.why_no_console = opened if isinstance(opened, str) else ""

    def close(self) -> None:
        if self.console is not None:
            self.console.__exit__(None, None, None)

    @property
    def running(self) -> bool:
        return self.console is not None or self.pid is not None

    def served(self) -> Served:
        """Ask the console; raises `NovaopsError` where there is none."""
        console = self.need_console()
        return Served(
            {row["name"]: row for row in console.show("DATABASES") if row["name"] != RESERVED},
            frozenset(row["name"] for row in console.show("USERS")),
            {row["key"]: row for row in console.show("CONFIG")},
        )

    def need_console(self) -> Console:
        if self.console is None:
            raise NovaopsError(
                "the console of pgbouncer does not let novaops in",
                detail=self.why_no_console,
                hint="run as root or as the account of pgbouncer, or name a user of admin_users by console_user "
                "in [pgbouncer] of novaops.toml (console_password_command gives the password)",
            )
        return self.console

    def check_file(self) -> None:
        """Refuse to work on another file than the one that the running pgbouncer reads."""
        if self.console is None:
            return
        conffile = self.served().config.get("conffile", {}).get("value", "")
        if conffile.startswith("/") and os.path.realpath(conffile) != os.path.realpath(self.ini.path):
            raise NovaopsError(
                f"the running pgbouncer reads {conffile}, not {self.ini.path}",
                hint="correct ini in [pgbouncer] of novaops.toml",
            )

    def reload(self) -> str:
        """Tell it to read its files again; returns how. Before 1.25 success means nothing: ask `mismatches`."""
        how = self.settings.reload
        if how == "auto":
            how = "console" if self.console else "signal" if self.pid else "systemctl"
        if how == "console":
            self.need_console().command("RELOAD")
            return "RELOAD"
        if how == "signal":
            if self.pid is None:
                raise NovaopsError(
                    "no running pgbouncer is known to signal",
                    detail=f"pidfile = {self.ini.setting('pidfile') or '(none)'} in {self.ini.path}",
                    hint="start pgbouncer, or set reload in [pgbouncer] of novaops.toml",
                )
            try:
                os.kill(self.pid, signal.SIGHUP)
            except PermissionError:
                raise NovaopsError(
                    f"pgbouncer (pid {self.pid}) belongs to another user",
                    hint="run novaops as root or as that user",
                ) from None
            return "SIGHUP"
        return _systemctl_reload(self.settings.service)

    def mismatches(
        self, names: Sequence[str], users: Sequence[str], *, patient: bool = False
    ) -> list[Mismatch]:
        """What is served otherwise than the ini says: `names` and `users` in full, everything else by name.

        `patient` waits for a reload that is not answered (SIGHUP).
        """
        deadline = time.monotonic() + (SIGNAL_SECONDS if patient else 0)
        while True:
            found = list(compare(self.ini, self.served(), frozenset(names), users))
            if all(m.restart or m.state for m in found) or time.monotonic() >= deadline:
                return found
            time.sleep(0.05)

    def pool_mode(self, database: str) -> str | None:
        """How an entry is pooled, by its own mode or that of all; None where nobody can be asked."""
        if self.console is None:
            return None
        served = self.served()
        own = served.databases.get(database, {}).get("pool_mode", "")
        return own or served.config.get("pool_mode", {}).get("value") or None

    def clients(self, database: str) -> list[Row]:
        """Who is connected through the alias."""
        return [row for row in self.need_console().show("CLIENTS") if row["database"] == database]


def compare(ini: Ini, served: Served, names: Collection[str], users: Sequence[str]) -> Iterator[Mismatch]:
    """See `Pooler.mismatches`."""
    declared = {k: e for k, e in ini.databases().items() if k != EVERYTHING}
    for name, entry in declared.items():
        row = served.databases.get(name)
        if row is None:
            yield Mismatch(name, "is not served")
        elif name in names:
            yield from _differences(entry, row, ini)
    # Entries of `*` come by themselves, and stay for a while.
    if EVERYTHING not in ini.databases():
        for name in served.databases.keys() - declared.keys():
            yield Mismatch(name, "is served, and in no file")
    for user in users:
        if user not in served.users:
            yield Mismatch(user, "is no user to the pooler")
    for key, row in served.config.items():
        if row.get("changeable") == "no" and (said := ini.setting(key)) and not _same(said, row["value"]):
            yield Mismatch(
                key,
                f"is {row['value'] or 'empty'} until pgbouncer restarts; the file says {said}",
                restart=True,
            )


def remembered(inventory: Inventory, served: Served, userlist: Userlist) -> list[str]:
    """Return agents that cannot log in by auth_query until pgbouncer restarts.

    pgbouncer keeps a user that left userlist.txt, without a secret, until it restarts, and does not run auth_query for
    a user that it knows (seen with 1.18: SHOW USERS lists the user and the login fails).
    """
    if inventory.settings.auth != "auth_query":
        return []
    in_file = userlist.secrets()
    return [user for user in inventory.users() if user in served.users and user not in in_file]


def _differences(entry: Entry, row: Row, ini: Ini) -> Iterator[Mismatch]:
    pairs = entry.pairs
    wanted = {
        "host": pairs.get("host", ""),
        "port": pairs.get("port", "5432"),
        "database": pairs.get("dbname", entry.key),
        "pool_size": pairs.get("pool_size") or ini.setting("default_pool_size", "20"),
        "pool_mode": pairs.get("pool_mode", ""),
    }
    for column, value in wanted.items():
        if column in row and row[column].lower() != value.lower():
            yield Mismatch(
                entry.key, f"has {column} {row[column] or '(none)'}, and {value or '(none)'} in the file"
            )
    if row.get("force_user", "") != pairs.get("user", ""):
        lost = "user" not in pairs
        yield Mismatch(
            entry.key,
            f"makes everybody the user {row['force_user']} until pgbouncer restarts: taking user= away needs that"
            if lost
            else f"forces the user {row.get('force_user') or '(none)'}, and {pairs['user']} in the file",
            restart=lost,
        )
    for state in ("disabled", "paused"):
        if row.get(state) == "1":
            yield Mismatch(entry.key, f"is {state}", state=True)


def _same(said: str, value: str) -> bool:
    """Whether a setting is what the file says; numbers may be octal (strtol with base 0), switches words."""
    try:
        return int(said, 0 if not said.startswith("0") or said == "0" else 8) == int(value)
    except ValueError:
        return said == value


def _places(settings: Settings, ini: Ini) -> Iterator[Place]:
    """Ways to the console, the ones without a password first."""
    port = settings.port or int(ini.setting("listen_port", str(DEFAULT_PORT)))
    folder = ini.setting("unix_socket_dir", "/tmp")  # noqa: S108 - pgbouncer's default
    own = settings.console_user == RESERVED
    if own and folder and (uid := socket_account(folder, port)) is not None and os.geteuid() in (0, uid):
        yield Place(folder, port, RESERVED, None, uid)
    password = None
    if settings.console_password_command:
        command = Setting(settings.console_password_command, "console_password_command")
        password = run_password_command(command)
    elif own:
        return
    if folder and socket_account(folder, port) is not None:
        yield Place(folder, port, settings.console_user, password)
    if host := client_host(settings, ini):
        yield Place(host, port, settings.console_user, password)


def client_host(settings: Settings, ini: Ini) -> str:
    """The host that clients connect to: what novaops.toml says, or where the pooler listens."""
    if settings.host:
        return settings.host
    first = ini.setting("listen_addr").split(",")[0].strip()
    if first in ("*", "0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return first or ini.setting("unix_socket_dir", "/tmp")  # noqa: S108


def client_port(settings: Settings, ini: Ini) -> int:
    return settings.port or int(ini.setting("listen_port", str(DEFAULT_PORT)))


def _pid(ini: Ini) -> int | None:
    """The process in the pid file, if it lives and is a pgbouncer."""
    try:
        pid = int(Path(ini.setting("pidfile")).read_text()) if ini.setting("pidfile") else 0
        name = Path(f"/proc/{pid}/comm").read_text().strip() if pid and Path("/proc/self").exists() else ""
    except (OSError, ValueError):
        return None
    return pid if pid and name in ("pgbouncer", "") else None


def _systemctl_reload(service: str) -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise NovaopsError(
            "there is no way to tell pgbouncer to read its files again",
            detail="its console does not let novaops in, no pid file names it, and there is no systemctl",
            hint="set console_user in [pgbouncer] of novaops.toml, or pidfile in pgbouncer.ini",
        )
    result = subprocess.run([program, "reload", service], capture_output=True, text=True)  # noqa: S603
    if result.returncode != 0:
        raise NovaopsError(f"systemctl reload {service} failed", detail=result.stderr.strip())
    return f"systemctl reload {service}"
