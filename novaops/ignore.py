"""`.pgschemaignore`: objects that are never touched.

The file is TOML: a section per kind of object, each with one key, `patterns`:

    [tables]
    patterns = ["temp_*", "!temp_kept", "audit.*"]

`*` stands for any characters, `?` for one; `!` makes an exception, which wins wherever it stands. A
pattern is compared with the name, and when it contains a dot with the qualified name: `schema.name`,
or `schema.table.name` for what belongs to a table. `[schemas]` covers all that is in the schema.
`[privileges]` and `[default_privileges]` name grantees.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from novaops.catalog.object import Object
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.toml_file import TomlFile

GRANTEES = ("privileges", "default_privileges")
# Sections of pgschema, and the address types that each of them covers there.
SECTIONS: Mapping[str, frozenset[str]] = {
    "schemas": frozenset({"schema"}),
    "tables": frozenset({"table"}),
    "views": frozenset({"view", "materialized view"}),
    "functions": frozenset({"function"}),
    "procedures": frozenset({"procedure"}),
    "aggregates": frozenset({"aggregate"}),
    "types": frozenset({"type"}),
    "sequences": frozenset({"sequence"}),
    "indexes": frozenset({"index"}),
    "constraints": frozenset({"table constraint", "domain constraint"}),
    "triggers": frozenset({"trigger"}),
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, without its `!`."""

    regex: re.Pattern[str]
    dotted: bool

    @classmethod
    def of(cls, text: str) -> Pattern:
        wild = {"*": ".*", "?": "."}
        regex = "".join(wild.get(character, re.escape(character)) for character in text)
        return cls(re.compile(regex, re.DOTALL), "." in text)

    def matches(self, name: str, qualified: Iterable[str] = ()) -> bool:
        names = (name, *qualified) if self.dotted else (name,)
        return any(self.regex.fullmatch(n) for n in names)


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of one section."""

    ignored: tuple[Pattern, ...] = ()
    kept: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Patterns:
        given = list(texts)
        return cls(
            tuple(Pattern.of(text) for text in given if not text.startswith("!")),
            tuple(Pattern.of(text[1:]) for text in given if text.startswith("!")),
        )

    def matches(self, name: str, qualified: Collection[str] = ()) -> bool:
        """Whether a pattern ignores it and none makes an exception."""
        return any(p.matches(name, qualified) for p in self.ignored) and not any(
            p.matches(name, qualified) for p in self.kept
        )

    def __or__(self, other: Patterns) -> Patterns:
        return Patterns(self.ignored + other.ignored, self.kept + other.kept)


@dataclass(frozen=True, slots=True)
class Ignore:
    """What the file says, by section; without a file nothing is ignored."""

    sections: Mapping[str, Patterns] = field(default_factory=dict)
    own: frozenset[tuple[str, str]] = frozenset()
    """What novaops itself makes and keeps by other means than plans, as (type of the address, name)."""

    @classmethod
    def read(cls, path: Path | None, kinds: Iterable[str]) -> Ignore:
        """Read the file, if there is one; `kinds` are the names of all kinds of objects."""
        if path is None or not path.exists():
            return cls()
        file = TomlFile.read(path)
        known = {*SECTIONS, *GRANTEES, *map(section_name, kinds)}
        problems = list(_problems(file, known))
        if problems:
            raise DiagnosticsError(problems)
        return cls({name: Patterns.of(section.get("patterns", [])) for name, section in file.data.items()})

    def matches(self, obj: Object) -> bool:
        """Whether the object itself, or the schema it lives in, is ignored.

        What an ignored object contains is the caller's to find (`Snapshot.ancestors`).
        """
        if self.is_own(obj):
            return True
        if not self.sections:
            return False
        if obj.schema is not None and self._of("schemas").matches(obj.schema):
            return True
        patterns = self._of(section_name(obj.kind))
        for name, types in SECTIONS.items():
            if obj.address.type in types and name != section_name(obj.kind):
                patterns |= self._of(name)
        return patterns.matches(obj.name, _qualified(obj))

    def is_own(self, obj: Object) -> bool:
        """Whether it is novaops' own, of which nobody has to be told that it is left alone."""
        return (obj.address.type, obj.name) in self.own

    def matches_grantee(self, role: str) -> bool:
        """Whether privileges granted to the role are left alone."""
        return self._of("privileges").matches(role or "PUBLIC")

    def matches_default_grantee(self, role: str) -> bool:
        """Whether default privileges for the role are left alone."""
        return self._of("default_privileges").matches(role or "PUBLIC")

    def _of(self, section: str) -> Patterns:
        return self.sections.get(section, Patterns())


def section_name(kind: str) -> str:
    """The section of a kind: its name in the plural, with underscores."""
    name = kind.replace(" ", "_").replace("-", "_")
    if name.endswith("s") and not name.endswith("ss"):  # statistics
        return name
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("x", "ss", "ch", "sh")) else f"{name}s"


def _qualified(obj: Object) -> list[str]:
    names = [".".join(obj.address.names)]
    return names if obj.schema is None else [*names, f"{obj.schema}.{obj.name}"]


def _problems(file: TomlFile, known: set[str]) -> Iterable[Diagnostic]:
    for name, section in file.data.items():
        if name not in known:
            yield file.unknown(name, None, known)
        elif not isinstance(section, dict):
            yield file.problem(f"{name} is not a section", name, hint=f'write [{name}] and patterns = ["…"]')
        else:
            yield from (file.unknown(name, key, ["patterns"]) for key in section if key != "patterns")
            patterns = section.get("patterns", [])
            if not isinstance(patterns, list) or not all(
                isinstance(p, str) and p.strip("!") for p in patterns
            ):
                message = f"patterns of [{name}] must be a list of names"
                yield file.problem(message, name, "patterns", hint='patterns = ["temp_*"]')
