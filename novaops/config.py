"""Settings, and where each of them came from.

Every setting is looked for in this order, and the first place that has it decides:

1. the flag of the command (`--url`, or `--host --port --database --user`);
2. the environment: `NOVAOPS_<SETTING>` (`NOVAOPS_HOST`, `NOVAOPS_FILE` …; lists with commas), then
   `DATABASE_URL`, then libpq's `PG*`;
3. `novaops.toml` in the working directory: `[connection]` and `[schema]`;
4. `~/.openclaw/postgres.json`: an object with `host`, `port`, `database`, `user`, `password`, `url`,
   or the same under libpq's names (`PGHOST`, `PGDATABASE` …), in upper or lower case;
5. the default: localhost, 5432, the operating-system user, database `<user>_memory` with `-` as `_`.

A service (`service` in `[connection]` or a URL, `PGSERVICE`) takes the place of everything that
comes after it: libpq reads the rest from the service file. A password is never a flag and never in
`novaops.toml`; it comes from `PGPASSWORD`, `.pgpass`, a service file or the output of
`password_command`, and one that stands in a URL or in postgres.json is used only where host, port
and user are those it stands with.
"""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from novaops.config_sources import Layer, layers
from novaops.config_values import Setting as Setting
from novaops.config_values import choice, duration, ignore_file, names, size, switch, text, text_or_none
from novaops.errors import NovaopsError
from novaops.sizes import format_size

HIDDEN = "********"
PASSWORD_SECONDS = 60
DEFAULTS: Mapping[str, Any] = {
    "file": "schema/schema.sql",
    "renames": None,
    "schemas": [],
    "scope": "schemas",
    "privileges": "auto",
    "owners": "ignore",
    "undeclared": "ask",
    "missing_roles": "error",
    "check_functions": "auto",
    "shadow": "server",
    "lock_timeout": "3s",
    "lock_wait": "0s",
    "pre_migrations": "pre-migrations",
    "ignore_file": None,
    "safe_below": "64 kB",
    "journal": True,
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One line of `novaops config explain`; secrets are masked."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How to reach the target. `parameters` are libpq's keywords, without the password."""

    parameters: Mapping[str, Setting[str]]
    embedded: Setting[bool]
    password: Setting[str] | None = field(default=None, repr=False)
    password_command: Setting[str] | None = None

    def conninfo(self) -> dict[str, str]:
        """The keywords for `novaops.db.connection.connect`; runs `password_command` if it is needed."""
        known = {name: setting.value for name, setting in self.parameters.items()}
        if self.password is not None:
            known["password"] = self.password.value
        elif self.password_command is not None:
            known["password"] = run_password_command(self.password_command)
        return known

    def __getitem__(self, name: str) -> str | None:
        """A parameter by libpq's name, `dbname` say; None where libpq decides (a service)."""
        setting = self.parameters.get(name)
        return setting.value if setting else None


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """What the commands that compare schemas are told."""

    file: Setting[str]
    renames: Setting[str | None]
    schemas: Setting[tuple[str, ...]]
    scope: Setting[str]
    privileges: Setting[str]
    owners: Setting[str]
    undeclared: Setting[str]
    missing_roles: Setting[str]
    check_functions: Setting[str]
    shadow: Setting[str]
    lock_timeout: Setting[timedelta]
    lock_wait: Setting[timedelta]
    pre_migrations: Setting[str]
    ignore_file: Setting[str | None]
    safe_below: Setting[int]
    """Bytes."""
    journal: Setting[bool]


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one call. `sections` are those of novaops.toml that capabilities read themselves."""

    connection: ConnectionSettings
    schema: SchemaSettings
    sections: Mapping[str, Any]

    def explain(self) -> list[Explained]:
        return [*_explain_connection(self.connection), *_explain_schema(self.schema)]


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    home: Path | None = None,
) -> Config:
    """Resolve all settings; flags that were not given are None, False or empty."""
    sources = layers(
        flags or {},
        os.environ if environment is None else environment,
        (directory or Path.cwd()) / "novaops.toml",
        (home or Path.home()) / ".openclaw" / "postgres.json",
    )
    sections = next((layer.sections for layer in sources if layer.sections), {})
    return Config(_connection(sources), _schema(sources, directory or Path.cwd()), sections)


# -- connection -----------------------------------------------------------------------------


def _connection(sources: list[Layer]) -> ConnectionSettings:
    reach = _until_service(sources)
    found: dict[str, Setting[str]] = {}
    for layer in reach:
        for name, value in layer.connection.items():
            if name not in ("password", "password_command"):
                found.setdefault(name, Setting(value, layer.origin(name)))
    if "service" not in found:
        _add_defaults(found)
    embedded = next(
        (Setting(True, layer.origin("embedded")) for layer in sources if layer.embedded),
        Setting(False, "default"),
    )
    password, command = _password(reach, found)
    return ConnectionSettings(found, embedded, password, command)


def _until_service(sources: list[Layer]) -> list[Layer]:
    """The layers down to the one that names a service; libpq's own rule ranks it above PG*."""
    for index, layer in enumerate(sources):
        if "service" in layer.connection:
            return sources[: index + 1]
    return sources


def _add_defaults(found: dict[str, Setting[str]]) -> None:
    found.setdefault("host", Setting("localhost", "default"))
    found.setdefault("port", Setting("5432", "default"))
    if "user" not in found:
        found["user"] = Setting(_system_user(), "default: operating-system user")
    if "dbname" not in found:
        name = f"{found['user'].value}_memory".replace("-", "_")
        found["dbname"] = Setting(name, "default: <user>_memory")


def _system_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise NovaopsError(
            f"the operating system has no name for user id {os.geteuid()}",
            hint="name the role with --user or PGUSER",
        ) from None


def _password(
    reach: list[Layer], found: Mapping[str, Setting[str]]
) -> tuple[Setting[str] | None, Setting[str] | None]:
    """The first password, or command that prints one, that belongs to where we connect."""
    for layer in reach:
        given = layer.connection
        if "password" in given and (layer.loose or _same_place(given, found)):
            return Setting(given["password"], layer.origin("password")), None
        if "password_command" in given:
            return None, Setting(given["password_command"], layer.origin("password_command"))
    return None, None


def _same_place(given: Mapping[str, str], found: Mapping[str, Setting[str]]) -> bool:
    return all(
        name not in given or (name in found and found[name].value == given[name])
        for name in ("host", "hostaddr", "port", "user")
    )


def run_password_command(command: Setting[str]) -> str:
    """First line that the command prints; it runs without a shell."""
    try:
        words = shlex.split(command.value)
        result = subprocess.run(  # noqa: S603
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PASSWORD_SECONDS
        )
    except (ValueError, IndexError, OSError, subprocess.TimeoutExpired) as error:
        # The exception's text may hold the whole command line.
        raise _command_error(command, type(error).__name__) from None
    if result.returncode != 0:
        raise _command_error(command, f"exit status {result.returncode}")
    lines = result.stdout.splitlines()
    if not lines or not lines[0]:
        raise _command_error(command, "it printed nothing")
    return lines[0]


def _command_error(command: Setting[str], detail: str) -> NovaopsError:
    return NovaopsError(
        f"password_command ({command.origin}) gave no password",
        detail=detail,
        hint="run it by hand; it must print the password alone, and no shell expands its words",
    )


# -- schema ---------------------------------------------------------------------------------


def _schema(sources: list[Layer], directory: Path) -> SchemaSettings:
    def first(name: str) -> Setting[Any]:
        for layer in sources:
            if name in layer.schema:
                return Setting(layer.schema[name], layer.origin(name))
        return Setting(DEFAULTS[name], "default")

    schemas, file = first("schemas"), text("file", first("file"))
    return SchemaSettings(
        file=file,
        renames=text_or_none("renames", first("renames")),
        schemas=Setting(names(schemas), schemas.origin),
        scope=choice("scope", first("scope")),
        privileges=choice("privileges", first("privileges")),
        owners=choice("owners", first("owners")),
        undeclared=choice("undeclared", first("undeclared")),
        missing_roles=choice("missing_roles", first("missing_roles")),
        check_functions=choice("check_functions", first("check_functions")),
        shadow=text("shadow", first("shadow")),
        lock_timeout=duration("lock_timeout", first("lock_timeout")),
        lock_wait=duration("lock_wait", first("lock_wait")),
        pre_migrations=text("pre_migrations", first("pre_migrations")),
        ignore_file=ignore_file(first("ignore_file"), Path(file.value), directory),
        safe_below=size("safe_below", first("safe_below")),
        journal=switch("journal", first("journal")),
    )


# -- explain --------------------------------------------------------------------------------


def _explain_connection(settings: ConnectionSettings) -> Iterator[Explained]:
    order = ("service", "host", "port", "dbname", "user")
    for name in (*order, *sorted(set(settings.parameters) - set(order))):
        if setting := settings.parameters.get(name):
            yield Explained("database" if name == "dbname" else name, setting.value, setting.origin)
    if settings.password is not None:
        yield Explained("password", HIDDEN, settings.password.origin)
    elif settings.password_command is not None:
        yield Explained("password", HIDDEN, f"password_command of {settings.password_command.origin}")
    else:
        yield Explained("password", "", "libpq: .pgpass or a service file, if they have one")
    yield Explained("embedded", "yes" if settings.embedded.value else "no", settings.embedded.origin)


def _explain_schema(settings: SchemaSettings) -> Iterator[Explained]:
    for name in DEFAULTS:
        setting = getattr(settings, name)
        yield Explained(name, _shown(name, setting.value), setting.origin)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return format_size(value)
    if isinstance(value, tuple):
        return ", ".join(value) or "public and those that the files create"
    if name == "ignore_file" and value is None:
        return "none"
    if value is None:
        return "renames.json beside the files, where there is one"
    return str(value) if name != "shadow" or "://" not in value else _without_password(value)


def _without_password(url: str) -> str:
    """A URL as it may be shown. Without parsing: libpq takes URLs that urllib refuses."""
    scheme, _, rest = url.partition("://")
    authority, slash, tail = rest.partition("/")
    login, at, place = authority.rpartition("@")
    if ":" in login:
        login = f"{login.partition(':')[0]}:{HIDDEN}"
    path, question, query = tail.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith("password="))
    return f"{scheme}://{login}{at}{place}{slash}{path}{question if kept else ''}{kept}"
