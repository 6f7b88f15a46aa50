"""Changes of `[[alias]]` in novaops.toml that leave every other byte, comments too, as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from novaops.errors import NovaopsError
from novaops.pgbouncer.files import Owner, owner_of, replace
from novaops.pgbouncer.inventory import Alias, Settings

NEW_MODE = 0o644


def with_alias(text: str, alias: Alias, settings: Settings) -> str:
    """The text with the alias added at the end, or changed where it is declared; pool defaults are not written."""
    document = tomlkit.parse(text)
    values = _values(alias, settings)
    aliases = _aliases(document)
    for table in aliases:
        if table.get("name") == alias.name:
            _update(table, values)
            return document.as_string()
    table = tomlkit.table()
    for key, value in values.items():
        table.add(key, value)
    if "alias" in document and not isinstance(document["alias"], AoT):
        raise NovaopsError("alias in novaops.toml is no array of tables", hint="write [[alias]] before each")
    if aliases:
        # An empty line before it, and after it where something follows.
        (table if aliases[-1].as_string().endswith("\n\n") else aliases[-1]).add(tomlkit.nl())
        aliases.append(table)
        return document.as_string()
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}[[alias]]\n{table.as_string()}"


def without_alias(text: str, name: str) -> str:
    """The text without the alias; unchanged where it declares none."""
    document = tomlkit.parse(text)
    aliases = _aliases(document)
    for index, table in enumerate(aliases):
        if table.get("name") == name:
            if len(aliases) == 1:
                document.remove("alias")
            else:
                del aliases[index]
            break
    return document.as_string()


def renamed(text: str, old: str, new: str) -> str:
    """The text with another name for the alias."""
    document = tomlkit.parse(text)
    for table in _aliases(document):
        if table.get("name") == old:
            table["name"] = new
    return document.as_string()


def write(path: Path, text: str) -> None:
    """Replace the file by one rename, with owner and mode kept."""
    owner = owner_of(path, private=False) or Owner(os.geteuid(), os.getegid(), NEW_MODE)
    replace(path, text.encode(), owner)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _aliases(document: tomlkit.TOMLDocument) -> Any:
    found = document.get("alias", [])
    return found if isinstance(found, AoT) else []


def _update(table: Table, values: dict[str, Any]) -> None:
    for key, value in values.items():
        if table.get(key) != value:
            table[key] = value
    for key in ("pool_mode", "pool_size"):
        if key in table and key not in values:
            del table[key]


def _values(alias: Alias, settings: Settings) -> dict[str, Any]:
    given: dict[str, Any] = {"name": alias.name, "user": alias.user}
    # Where an alias leads is said with it: a default, or an environment, that is another one day would move it.
    given |= {"target": alias.target.database, "host": alias.target.host, "port": alias.target.port}
    if alias.pool_mode != settings.pool_mode:
        given["pool_mode"] = alias.pool_mode
    if alias.pool_size != settings.pool_size:
        given["pool_size"] = alias.pool_size
    if alias.rationale:
        given["rationale"] = alias.rationale
    if alias.password_command:
        given["password_command"] = alias.password_command
    return given
