"""A setting, and the checks of what people write for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from novaops.config_sources import find_ignore_file
from novaops.durations import parse_duration
from novaops.errors import UsageError
from novaops.sizes import parse_size

T = TypeVar("T")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "scope": ("schemas", "database"),
    "privileges": ("auto", "managed", "additive", "ignore"),
    "owners": ("ignore", "managed"),
    "undeclared": ("ask", "keep", "drop"),
    "missing_roles": ("error", "skip", "create"),
    "check_functions": ("auto", "strict", "off"),
}
SWITCHES: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and the place it came from: `--host`, `PGHOST`, `novaops.toml`, `default` …"""

    value: T
    origin: str


def text(name: str, setting: Setting[Any]) -> Setting[str]:
    if not isinstance(setting.value, str) or not setting.value:
        raise UsageError(f"{name} from {setting.origin} must be a text that is not empty")
    return setting


def text_or_none(name: str, setting: Setting[Any]) -> Setting[str | None]:
    return setting if setting.value is None else Setting(text(name, setting).value, setting.origin)


def ignore_file(setting: Setting[Any], file: Path, directory: Path) -> Setting[str | None]:
    """The file that is named, which must exist, or the nearest one."""
    named = text_or_none("ignore_file", setting)
    if named.value is not None:
        if not (directory / named.value).is_file():
            raise UsageError(
                f"ignore_file from {named.origin}: there is no file {named.value}",
                hint="name a .pgschemaignore",
            )
        return named
    found = find_ignore_file(file, directory)
    if found is None:
        return named
    inside = found.is_relative_to(directory.resolve())
    return Setting(
        str(found.relative_to(directory.resolve()) if inside else found), "nearest to the schema file"
    )


def choice(name: str, setting: Setting[Any]) -> Setting[str]:
    if setting.value not in CHOICES[name]:
        raise UsageError(
            f"{name} from {setting.origin} is {setting.value!r}", hint=f"one of: {', '.join(CHOICES[name])}"
        )
    return setting


def switch(name: str, setting: Setting[Any]) -> Setting[bool]:
    """true or false in a file, and a word elsewhere."""
    word = str(setting.value).lower()
    if word not in SWITCHES:
        raise UsageError(f"{name} from {setting.origin} is {setting.value!r}", hint="one of: on, off")
    return Setting(SWITCHES[word], setting.origin)


def names(setting: Setting[Any]) -> tuple[str, ...]:
    """A list, or in the environment a text with commas."""
    value = setting.value
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"schemas from {setting.origin} must be a list of names")
    return tuple(names)


def duration(name: str, setting: Setting[Any]) -> Setting[timedelta]:
    if isinstance(setting.value, timedelta):
        return setting
    try:
        return Setting(parse_duration(str(setting.value)), setting.origin)
    except ValueError as error:
        raise UsageError(
            f"{name} from {setting.origin}: {error}", hint="a number with us, ms, s, min, h or d: 500ms"
        ) from None


def size(name: str, setting: Setting[Any]) -> Setting[int]:
    try:
        return Setting(parse_size(str(setting.value)), setting.origin)
    except ValueError as error:
        raise UsageError(
            f"{name} from {setting.origin}: {error}", hint="a number with B, kB, MB, GB or TB: 64 kB"
        ) from None
