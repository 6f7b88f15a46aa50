"""The aliases that novaops.toml declares: `[pgbouncer]` and `[[alias]]`.

```toml
[pgbouncer]
ini = "/etc/pgbouncer/pgbouncer.ini"
pool_size = 3                     # of aliases that say nothing else

[[alias]]
name = "argus_memory"
user = "argus"
target = "nova_memory"
rationale = "Security agent, logs findings"
```
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novaops.diagnostics import Diagnostic, DiagnosticsError, Source
from novaops.errors import NovaopsError, UsageError
from novaops.invocation import command_line
from novaops.pgbouncer.grammar import POOL_MODES
from novaops.pgbouncer.names import refuse_alias, refuse_name
from novaops.pgbouncer.version import OLDEST, Version, parse_version
from novaops.toml_file import TomlFile

FILE = "novaops.toml"
RELOADS = ("auto", "console", "signal", "systemctl")
AUTHS = ("userlist", "auth_query")
ALIAS_HEADER = re.compile(r"^\s*\[\[\s*alias\s*\]\]", re.MULTILINE)
TEXT, NUMBER, TABLE = str, int, dict
SETTINGS: Mapping[str, type] = {
    "ini": TEXT, "userlist": TEXT, "program": TEXT, "version": TEXT, "working_directory": TEXT,
    "host": TEXT, "port": NUMBER, "console_user": TEXT, "console_password_command": TEXT,
    "reload": TEXT, "service": TEXT, "auth": TEXT, "auth_user": TEXT, "auth_password_command": TEXT,
    "target": TEXT, "target_host": TEXT, "target_port": NUMBER,
    "pool_mode": TEXT, "pool_size": NUMBER, "suffix": TEXT, "settings": TABLE,
}  # fmt: skip
ALIAS: Mapping[str, type] = {
    "name": TEXT, "user": TEXT, "target": TEXT, "host": TEXT, "port": NUMBER, "pool_mode": TEXT,
    "pool_size": NUMBER, "rationale": TEXT, "password_command": TEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """A database of a server."""

    database: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.database} on {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that clients connect to, and where that leads."""

    name: str
    user: str
    target: Target
    pool_mode: str = "session"
    pool_size: int = 3
    """Server connections for each user of the alias."""
    rationale: str = ""
    password_command: str | None = None

    def __str__(self) -> str:
        return f"{self.name} → {self.target}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What `[pgbouncer]` says; None is for what pgbouncer.ini says itself."""

    ini: Path = Path("/etc/pgbouncer/pgbouncer.ini")
    userlist: Path | None = None
    program: str | None = None
    version: Version | None = None
    working_directory: Path = Path("/")
    host: str | None = None
    port: int | None = None
    console_user: str = "pgbouncer"
    console_password_command: str | None = None
    reload: str = "auto"
    service: str = "pgbouncer"
    auth: str = "userlist"
    auth_user: str = "novaops_auth"
    auth_password_command: str | None = None
    pool_mode: str = "session"
    pool_size: int = 3
    suffix: str = "_memory"
    settings: Mapping[str, str] = field(default_factory=dict)
    """`[pgbouncer.settings]`: what a file that novaops writes whole says in its section [pgbouncer]."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that is declared. `default` is the target of aliases that name none."""

    path: Path
    settings: Settings
    default: Target | None
    aliases: tuple[Alias, ...]

    def find(self, name: str) -> Alias:
        """The alias by its own name, or by that of its user; raises `UsageError` where that is not one."""
        exact = [a for a in self.aliases if a.name == name]
        found = exact or [
            a for a in self.aliases if a.user == name or a.name == alias_name(name, self.settings)
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            names = ", ".join(a.name for a in self.aliases)
            raise UsageError(
                f"{self.path.name} declares no alias {name}",
                hint=f"there is: {names}"
                if names
                else f"{command_line('alias add', arguments=[name])} makes it",
            )
        raise UsageError(
            f"{name} has {len(found)} aliases", hint=f"name one: {', '.join(a.name for a in found)}"
        )

    def users(self) -> list[str]:
        return list(dict.fromkeys(a.user for a in self.aliases))

    def duplicates(self) -> list[str]:
        counts = Counter(a.name for a in self.aliases)
        return [name for name, count in counts.items() if count > 1]


def alias_name(agent: str, settings: Settings) -> str:
    """The alias of an agent: the database that libpq's users of this project look for, `<user>_memory`."""
    return f"{agent.replace('-', '_')}{settings.suffix}"


def read_inventory(path: Path, default: Target | None = None, version: Version | None = None) -> Inventory:
    """What the file declares; everything wrong in it at once as `DiagnosticsError`. No file: no alias."""
    if not path.exists():
        return Inventory(path, Settings(), default, ())
    file = TomlFile.read(path)
    section, aliases = file.data.get("pgbouncer", {}), file.data.get("alias", [])
    problems = [*_settings_problems(file, section), *_alias_problems(file, aliases)]
    if problems:
        raise DiagnosticsError(problems)
    settings = _settings(path, section)
    default = _default(section, default)
    version = version or settings.version or OLDEST
    problems = list(_contents(file, aliases, version, default))
    if problems:
        raise DiagnosticsError(problems)
    return Inventory(path, settings, default, tuple(_alias(a, settings, default) for a in aliases))


def checked(alias: Alias, version: Version) -> Alias:
    """The alias, if pgbouncer can be told of it; raises `NovaopsError` with the reason otherwise."""
    if refused := refuse_alias(alias.name, version):
        raise refused.error(f"{alias.name!r} cannot be an alias")
    for what, name in (
        ("user", alias.user),
        ("database", alias.target.database),
        ("host", alias.target.host),
    ):
        if refused := refuse_name(name):
            raise refused.error(f"{name!r} cannot be the {what} of an alias")
    if alias.pool_size < 1:
        raise UsageError(
            f"a pool of {alias.pool_size} connections serves nobody", hint="give --pool-size 1 or more"
        )
    return alias


def _settings(path: Path, section: Mapping[str, Any]) -> Settings:
    given: dict[str, Any] = {k: v for k, v in section.items() if not k.startswith("target")}
    folder = path.absolute().parent
    for name in ("ini", "userlist", "working_directory"):
        if name in given:
            given[name] = Path(os.path.normpath(folder / Path(given[name]).expanduser()))
    if "version" in given:
        given["version"] = parse_version(given["version"])
    if "settings" in given:
        given["settings"] = {k: _word(v) for k, v in given["settings"].items()}
    return Settings(**given)


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _default(section: Mapping[str, Any], default: Target | None) -> Target | None:
    database = section.get("target", default.database if default else None)
    host = section.get("target_host", default.host if default else None)
    port = section.get("target_port", default.port if default else 5432)
    return Target(database, host, port) if database and host else None


def _alias(given: Mapping[str, Any], settings: Settings, default: Target | None) -> Alias:
    return Alias(
        name=given["name"],
        user=given["user"],
        target=Target(
            given.get("target") or (default.database if default else ""),
            given.get("host") or (default.host if default else ""),
            given.get("port") or (default.port if default else 5432),
        ),
        pool_mode=given.get("pool_mode", settings.pool_mode),
        pool_size=given.get("pool_size", settings.pool_size),
        rationale=given.get("rationale", ""),
        password_command=given.get("password_command"),
    )


# -- what may be wrong ------------------------------------------------------------------------


def _settings_problems(file: TomlFile, section: Any) -> Iterator[Diagnostic]:
    if not isinstance(section, dict):
        yield file.problem("pgbouncer is not a section", "pgbouncer", hint="write [pgbouncer]")
        return
    for key, value in section.items():
        if key == "password" or key == "console_password":
            yield file.problem(
                f"{file.path.name} must not hold a password",
                "pgbouncer",
                key,
                hint="use console_password_command",
            )
        elif key not in SETTINGS:
            yield file.unknown("pgbouncer", key, SETTINGS)
        elif not _is(value, SETTINGS[key]):
            yield file.problem(f"{key} in [pgbouncer] must be {_words(SETTINGS[key])}", "pgbouncer", key)
        elif choices := {"reload": RELOADS, "auth": AUTHS, "pool_mode": POOL_MODES}.get(key):
            if value not in choices:
                yield file.problem(
                    f"{key} is {value!r}", "pgbouncer", key, hint=f"one of: {', '.join(choices)}"
                )
        elif SETTINGS[key] is NUMBER and value < 1:
            yield file.problem(f"{key} must be at least 1", "pgbouncer", key)


def _alias_problems(file: TomlFile, aliases: Any) -> Iterator[Diagnostic]:
    if not isinstance(aliases, list) or not all(isinstance(a, dict) for a in aliases):
        yield file.problem("alias is not a list of tables", "alias", hint="write [[alias]] before each")
        return
    for number, given in enumerate(aliases):
        for key in ("name", "user"):
            if key not in given:
                yield _at(file, number, None, f"this alias has no {key}", f'{key} = "…"')
        for key, value in given.items():
            if key == "password":
                yield _at(
                    file, number, key, f"{file.path.name} must not hold a password", "use password_command"
                )
            elif key not in ALIAS:
                yield _at(file, number, key, f"unknown key {key}", f"there is: {', '.join(ALIAS)}")
            elif not _is(value, ALIAS[key]):
                yield _at(file, number, key, f"{key} must be {_words(ALIAS[key])}")
            elif key == "pool_mode" and value not in POOL_MODES:
                yield _at(file, number, key, f"pool_mode is {value!r}", f"one of: {', '.join(POOL_MODES)}")
            elif ALIAS[key] is NUMBER and value < 1:
                yield _at(file, number, key, f"{key} must be at least 1")


def _contents(
    file: TomlFile, aliases: Sequence[Mapping[str, Any]], version: Version, default: Target | None
) -> Iterator[Diagnostic]:
    seen: dict[str, int] = {}
    for number, given in enumerate(aliases):
        name = given["name"]
        if refused := refuse_alias(name, version):
            yield _at(
                file, number, "name", f"{name!r} cannot be an alias: {refused.reason}", "choose another name"
            )
        for key in ("user", "target", "host"):
            if key in given and (refused := refuse_name(given[key])):
                yield _at(file, number, key, f"{given[key]!r}: {refused.reason}", refused.hint)
        if name in seen:
            first = _alias_line(file, seen[name], None)
            yield _at(
                file, number, "name", f"{name} is declared twice, first in line {first}",
                "pgbouncer would take the last one in silence; remove one",
            )  # fmt: skip
        seen.setdefault(name, number)
        if default is None and ("target" not in given or "host" not in given):
            yield _at(
                file, number, "name", f"nothing says where {name} leads",
                "give target and host here, or target and target_host in [pgbouncer]",
            )  # fmt: skip


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _words(kind: type) -> str:
    return {str: "a text", int: "a number", dict: "a table"}[kind]


def _alias_line(file: TomlFile, number: int, key: str | None) -> int:
    """The line of the `number`th [[alias]], or of the key in it."""
    headers = [m.start() for m in ALIAS_HEADER.finditer(file.text)]
    if number >= len(headers):
        return 1
    start = headers[number]
    line = file.text.count("\n", 0, start) + (1 if file.text[start] != "\n" else 2)
    if key is None:
        return line
    for offset, text in enumerate(file.text.splitlines()[line:], start=1):
        if text.lstrip().startswith("["):
            break
        if text.split("=")[0].strip(" \t\"'") == key:
            return line + offset
    return line


def _at(file: TomlFile, number: int, key: str | None, message: str, hint: str | None = None) -> Diagnostic:
    line = _alias_line(file, number, key)
    text = None if key == "password" else file.text.splitlines()[line - 1]
    column = max(text.find(key), 0) + 1 if key and text else 1
    length = len(key) if key else max(len(text or ""), 1)
    return Diagnostic(Source(str(file.path), line, column), message, text=text, length=length, hint=hint)


def no_target() -> NovaopsError:
    """The error where nothing says which database an alias leads to."""
    return NovaopsError(
        "nothing says which database the alias leads to, or on which host",
        hint="give --target and --target-host, or write target and target_host in [pgbouncer] of novaops.toml",
    )
