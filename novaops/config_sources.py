"""The places that settings are read from, each as one layer, the strongest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.errors import NovaopsError, UsageError
from novaops.toml_file import TomlFile

# Our names, and libpq's where they differ.
CONNECTION = {"host": "host", "port": "port", "database": "dbname", "user": "user"}
IN_FILES = (*CONNECTION, "url", "service", "sslmode", "sslrootcert", "password_command", "embedded")
SCHEMA = (
    *("file", "renames", "schemas", "scope", "privileges", "owners", "undeclared", "missing_roles"),
    *("check_functions", "shadow", "lock_timeout", "lock_wait", "safe_below", "journal"),
    *("pre_migrations", "ignore_file"),
)
# Flags that are not called like their setting.
FLAGS = {"schemas": "schema", "journal": "no-journal"}
PG_VARIABLES = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGDATABASE": "dbname",
    "PGUSER": "user",
    "PGPASSWORD": "password",
}
# Sections of novaops.toml whose keys belong to a capability, which checks them itself.
CAPABILITIES = frozenset(
    {"allow", "pgbouncer", "alias", "replication", "install", "fleet", "health", "backup", "lint"}
)
JSON_KEYS = {
    "host": "host",
    "hostname": "host",
    "port": "port",
    "user": "user",
    "username": "user",
    "database": "dbname",
    "dbname": "dbname",
    "password": "password",
    "url": "url",
    **{name.lower(): keyword for name, keyword in PG_VARIABLES.items()},
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says. `origins` names the places of single settings, `place` that of all others."""

    place: str
    connection: Mapping[str, str] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)
    embedded: bool = False
    loose: bool = False
    """Whether its password is meant for wherever we connect (PGPASSWORD)."""
    sections: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, name: str) -> str:
        return self.origins.get(name, self.place)


def layers(
    flags: Mapping[str, Any], environment: Mapping[str, str], toml: Path, postgres_json: Path
) -> list[Layer]:
    """All places that say something, in the order that they are asked."""
    ours = {
        name: value for name in (*IN_FILES, *SCHEMA) if (value := environment.get(f"NOVAOPS_{name.upper()}"))
    }
    found = [
        _named(flags, lambda name: f"--{FLAGS.get(name, name).replace('_', '-')}"),
        _named(ours, lambda name: f"NOVAOPS_{name.upper()}"),
    ]
    if url := environment.get("DATABASE_URL"):
        found.append(Layer("DATABASE_URL", _from_url(url, "DATABASE_URL")))
    found.append(_libpq(environment))
    if toml.exists():
        found.append(_toml(TomlFile.read(toml)))
    if postgres_json.exists():
        found.append(_json(postgres_json))
    return found


def find_ignore_file(file: Path, directory: Path) -> Path | None:
    """Return the `.pgschemaignore` that is nearest to the schema file.

    Looked at are the file's folder and those above it, up to `directory` or a folder with a novaops.toml
    (only its own folder where neither is above it), and `directory` last.
    """
    path = (directory / file).resolve()
    start = path if path.is_dir() else path.parent
    folders = [start]
    for folder in (start, *start.parents):
        if folder == directory.resolve() or (folder / "novaops.toml").exists():
            folders += [above for above in start.parents if above.is_relative_to(folder)]
            break
    candidates = (folder / ".pgschemaignore" for folder in (*folders, directory))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _named(values: Mapping[str, Any], spelled: Callable[[str], str]) -> Layer:
    """Flags or variables under our own names; the single settings win over what the URL says."""
    given = {name: value for name, value in values.items() if value not in (None, "", (), [], False)}
    origins = {CONNECTION.get(name, name): spelled(name) for name in given}
    connection = _from_url(given["url"], spelled("url")) if "url" in given else {}
    origins = {**dict.fromkeys(connection, spelled("url")), **origins}
    for name in IN_FILES:
        if name in given and name not in ("url", "embedded"):
            connection[CONNECTION.get(name, name)] = str(given[name])
    return Layer(
        place=spelled("url"),
        connection=connection,
        schema={name: given[name] for name in SCHEMA if name in given},
        embedded=str(given.get("embedded", "")).lower() in ("true", "1", "yes", "on"),
        origins=origins,
    )


def _libpq(environment: Mapping[str, str]) -> Layer:
    """libpq's variables. With PGSERVICE they are left to libpq, where the service file outranks them."""
    if service := environment.get("PGSERVICE"):
        return Layer("PGSERVICE", {"service": service})
    found = {keyword: name for name, keyword in PG_VARIABLES.items() if environment.get(name)}
    return Layer(
        "PG*", {keyword: environment[name] for keyword, name in found.items()}, loose=True, origins=found
    )


def _from_url(url: str, place: str) -> dict[str, str]:
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        # libpq's message repeats the URL, and a password in it.
        raise UsageError(
            f"{place} is not a connection URL",
            hint="postgresql://user@host:port/database; a % or @ within a part is written %25 or %40",
        ) from None
    return {name: str(value) for name, value in parts.items() if value is not None}


def _toml(file: TomlFile) -> Layer:
    problems = list(_problems(file))
    if problems:
        raise DiagnosticsError(problems)
    given = _spelled(file.data.get("connection", {}))
    connection = _from_url(given["url"], file.path.name) if "url" in given else {}
    if "password" in connection:
        raise DiagnosticsError([_no_password(file, "url")])
    connection |= {
        CONNECTION.get(name, name): str(value)
        for name, value in given.items()
        if name not in ("url", "embedded")
    }
    return Layer(
        place=file.path.name,
        connection=connection,
        schema=_spelled(file.data.get("schema", {})),
        embedded=given.get("embedded", False),
        sections={name: value for name, value in file.data.items() if name in CAPABILITIES},
    )


def _spelled(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys with underscores; `safe-below` is `safe_below`, as in the flag."""
    return {key.replace("-", "_"): value for key, value in values.items()}


def _problems(file: TomlFile) -> Iterable[Diagnostic]:
    known = {"connection": IN_FILES, "schema": SCHEMA}
    for section, value in file.data.items():
        if section in CAPABILITIES:
            continue
        if section not in known:
            yield file.unknown(section, None, [*known, *CAPABILITIES])
        elif not isinstance(value, dict):
            yield file.problem(f"{section} is not a section", section, hint=f"write [{section}]")
        else:
            for key in value:
                if section == "connection" and key == "password":
                    yield _no_password(file, key)
                elif key.replace("-", "_") not in known[section]:
                    yield file.unknown(section, key, known[section])
            yield from _wrong_types(file, section, value)


def _wrong_types(file: TomlFile, section: str, values: Mapping[str, Any]) -> Iterable[Diagnostic]:
    wanted: Mapping[str, tuple[type, str]] = {
        "port": (int, "a number"),
        "embedded": (bool, "true or false"),
        "schemas": (list, "a list of names"),
        "journal": (bool, "true or false"),
    }
    for key, value in values.items():
        kind, words = wanted.get(key.replace("-", "_"), (str, "a text"))
        # bool is a kind of int to Python.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield file.problem(f"{key} in [{section}] must be {words}", section, key)


def _no_password(file: TomlFile, key: str) -> Diagnostic:
    found = file.problem(
        f"{file.path.name} must not hold a password",
        "connection",
        key,
        hint='use password_command = "…", ~/.pgpass, a service file or PGPASSWORD',
    )
    return replace(found, text=None)  # the line shows it


def _json(path: Path) -> Layer:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NovaopsError(
            f"cannot read {path}", detail=type(error).__name__, hint="it must be JSON"
        ) from None
    if not isinstance(data, dict):
        raise NovaopsError(f"{path} must hold a JSON object", hint='{"host": …, "database": …}')
    given = {
        JSON_KEYS[key.lower()]: str(value)
        for key, value in data.items()
        if key.lower() in JSON_KEYS and value not in (None, "")
    }
    url = given.pop("url", None)
    return Layer("~/.openclaw/postgres.json", {**(_from_url(url, str(path)) if url else {}), **given})
