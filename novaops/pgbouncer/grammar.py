"""pgbouncer.ini, read as pgbouncer reads it and kept byte for byte.

The grammar is that of libusual (usual/cfparser.c) and of the connection strings in pgbouncer's
src/loader.c, not that of other ini files:

- a comment is a line whose first character that is no space is `#` or `;`; anywhere else both are
  characters like others;
- a section header may be followed by a key on its line;
- a key is what its characters make it, and a value goes to the end of the line;
- in [databases], [users] and [peers] a value is `key=value` pairs, separated by spaces, not by tabs, and
  quoted by `'`, doubled within; an empty value is an error;
- `%include FILE` goes on in the section that the file ends in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from novaops.diagnostics import Diagnostic, Source
from novaops.pgbouncer.names import EVERYTHING, LONGEST, RESERVED
from novaops.pgbouncer.version import OLDEST, Version

ENCODING = "utf-8"
ERRORS = "surrogateescape"
"""Bytes that are not UTF-8 pass through unchanged."""
DEEPEST = 10
"""MAX_INCLUDE of libusual's usual/cfparser.c."""
SPACE = " \t\n\v\f\r"
BLANK = " \t"
KEY = re.compile(r"[A-Za-z0-9_.*-]*")
SECTIONS = ("databases", "users", "peers", "pgbouncer")
PAIRS = frozenset({"databases", "users", "peers"})
# parse_database() in src/loader.c of 1.18, and what later versions have added.
DATABASE_KEYS = frozenset(
    [
        "dbname", "host", "port", "user", "password", "auth_user", "client_encoding", "datestyle", "timezone",
        "pool_size", "min_pool_size", "reserve_pool", "max_db_connections", "pool_mode", "connect_query",
        "application_name",
    ]
)  # fmt: skip
# parse_user() of 1.18, and what later versions have added.
USER_KEYS = frozenset({"pool_mode", "max_user_connections"})
NEWER_USER_KEYS = frozenset(
    {"pool_size", "reserve_pool_size", "max_user_client_connections", "query_timeout"}
)
NEWER_KEYS = frozenset(
    ["auth_dbname", "auth_query", "reserve_pool_size", "max_db_client_connections", "server_lifetime",
     "load_balance_hosts"]
)  # fmt: skip
NUMBERS = frozenset({"port", "pool_size", "min_pool_size", "reserve_pool", "reserve_pool_size",
                     "max_db_connections", "max_db_client_connections"})  # fmt: skip
# atoi() of pgbouncer: spaces, a sign, digits, and whatever follows.
NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
POOL_MODES = ("session", "transaction", "statement")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a section, with the place of it and the text of its line."""

    section: str
    key: str
    value: str
    source: Source
    text: str
    pairs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """The header of a section, a pair or an include; `end` is the offset of the end of its line."""

    kind: Literal["header", "pair", "include"]
    section: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Ini:
    """What a file says, its includes in their places. `problems` are what stops pgbouncer, or misleads people."""

    path: Path
    entries: tuple[Entry, ...]
    problems: tuple[Diagnostic, ...]
    expanded: str
    """The text with the includes written out."""
    marks: tuple[Mark, ...]
    """What stands in the file itself, in order; comments are not among it."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(p for p in self.problems if p.severity == "error")

    def databases(self) -> dict[str, Entry]:
        """The entries of [databases] by name; of two equal names pgbouncer takes the last."""
        return {e.key: e for e in self.entries if e.section == "databases"}

    def duplicates(self) -> list[tuple[Entry, Entry]]:
        """Entries of [databases] that a later one overrides, with that one."""
        last = self.databases()
        return [(e, last[e.key]) for e in self.entries if e.section == "databases" and last[e.key] is not e]

    def setting(self, name: str, default: str = "") -> str:
        """A setting of [pgbouncer]; the last one counts."""
        found = [e.value for e in self.entries if e.section == "pgbouncer" and e.key == name]
        return found[-1] if found else default


def decode(data: bytes) -> str:
    return data.decode(ENCODING, ERRORS)


def encode(text: str) -> bytes:
    return text.encode(ENCODING, ERRORS)


def read_ini(path: Path, text: str, version: Version = OLDEST, directory: Path = Path("/")) -> Ini:
    """Read the text of the file `path`; `directory` is where pgbouncer runs, which includes are relative to."""
    reader = _Reader(version, directory)
    reader.read(path, text, 0)
    if not any(section == "pgbouncer" for section in reader.sections) and not reader.stopped:
        reader.problem(path, text, len(text), "there is no section [pgbouncer]: pgbouncer does not start")
    return Ini(path, tuple(reader.entries), tuple(reader.problems), "".join(reader.out), tuple(reader.marks))


def parse_pairs(value: str) -> dict[str, str] | str:
    """The `key=value` pairs of an entry, or what is wrong with them (cstr_get_pair() in src/loader.c)."""
    pairs: dict[str, str] = {}
    at = _skip(value, 0)
    while at < len(value):
        start = at
        while at < len(value) and value[at] not in "= ":
            at += 1
        key = value[start:at]
        at = _skip(value, at)
        if not key or value[at : at + 1] != "=":
            return f"{key or value[at:]!r} is not followed by ="
        at = _skip(value, at + 1)
        if value[at : at + 1] == "'":
            text, at = _unquote(value, at + 1)
            if text is None:
                return f"the quote after {key}= is not closed"
            at += 1
        else:
            end = value.find(" ", at)
            end = len(value) if end < 0 else end
            text, at = value[at:end], end
        if not text:
            return f"{key}= has no value"
        # Whatever follows a value is taken for the space between two pairs, also after a quote.
        at = _skip(value, at + 1)
        pairs[key] = text
    return pairs


def _number(value: str) -> int | None:
    found = NUMBER.match(value)
    return int(found[0]) if found else None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\n\r":
        at += 1
    return at


def _unquote(text: str, at: int) -> tuple[str | None, int]:
    """The text up to the closing quote, and the place of that."""
    parts: list[str] = []
    while at < len(text):
        if text[at] == "'":
            if text[at + 1 : at + 2] != "'":
                return "".join(parts), at
            at += 1
        parts.append(text[at])
        at += 1
    return None, at


class _Reader:
    """One pass over a file and what it includes."""

    def __init__(self, version: Version, directory: Path) -> None:
        self.version = version
        self.directory = directory
        self.section = ""
        self.sections: list[str] = []
        self.entries: list[Entry] = []
        self.problems: list[Diagnostic] = []
        self.out: list[str] = []
        self.marks: list[Mark] = []
        self.stopped = False
        self.line_starts: dict[Path, list[int]] = {}
        newer = version > OLDEST
        self.keys = {
            "databases": DATABASE_KEYS | NEWER_KEYS if newer else DATABASE_KEYS,
            "users": USER_KEYS | NEWER_USER_KEYS if newer else USER_KEYS,
        }
        self.known_sections = SECTIONS if newer else tuple(s for s in SECTIONS if s != "peers")

    def read(self, path: Path, text: str, depth: int) -> None:
        self.line_starts[path] = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]
        at = copied = 0
        end = text.find("\0")
        if end >= 0:
            self.problem(path, text, end, "a zero byte: pgbouncer stops reading here")
            self.stopped = True
            return
        while at < len(text) and not self.stopped:
            kind: Literal["header", "pair", "include"] | None = None
            while at < len(text) and text[at] in SPACE:
                at += 1
            if at == len(text):
                break
            start = at
            if text.startswith("%include", at) and text[at + 8 : at + 9] in ("\t", " "):
                line_end = _line_end(text, at)
                self.out.append(text[copied:at])
                copied = line_end
                self._include(path, text, at, text[at + 8 : line_end].strip(SPACE), depth)
                at, kind = line_end, "include"
            elif text[at] in "#;":
                at = _line_end(text, at)
            elif text[at] == "[":
                at, kind = self._header(path, text, at), "header"
            else:
                at, kind = self._pair(path, text, at), "pair"
            if kind and depth == 0:
                self.marks.append(Mark(kind, self.section, start, _line_end(text, start)))
        self.out.append(text[copied:])

    def _include(self, path: Path, text: str, at: int, name: str, depth: int) -> None:
        target = self.directory / name
        if depth >= DEEPEST:
            self._stop(path, text, at, f"more than {DEEPEST} files include one another")
            return
        try:
            included = decode(target.read_bytes())
        except OSError as error:
            self._stop(path, text, at, f"{target} cannot be included: {error.strerror}")
            return
        self.out.append("\n")
        self.read(target, included, depth + 1)
        self.out.append("\n")

    def _header(self, path: Path, text: str, at: int) -> int:
        end = _line_end(text, at)
        close = text.find("]", at, end)
        if close < 0:
            self._stop(path, text, at, "the header of the section has no ]")
            return end
        self.section = text[at + 1 : close]
        if self.section not in self.known_sections:
            self._stop(path, text, at, f"unknown section [{self.section}]")
        if self.section == "pgbouncer" and "pgbouncer" in self.sections:
            self.problem(
                path, text, at, "a second [pgbouncer] sets everything that stood in the first back to its default",
                severity="warning", code="second-section",
            )  # fmt: skip
        self.sections.append(self.section)
        return close + 1

    def _pair(self, path: Path, text: str, at: int) -> int:
        start, end = at, _line_end(text, at)
        key: str | None
        if text[at] == "'" and self.version.quotes_keys:
            key, at = _unquote(text[:end], at + 1)
            at += 1
        else:
            found = KEY.match(text, at)
            key = found[0] if found else ""
            at += len(key)
        at = min(at, end)
        while at < end and text[at] in BLANK:
            at += 1
        if key is None or text[at : at + 1] != "=":
            self._stop(path, text, at, "pgbouncer expects = here and stops reading")
            return end
        value = text[at + 1 : end].strip(SPACE)
        if not self.section:
            self._stop(path, text, start, f"{key} stands in no section")
            return end
        self._entry(path, text, start, key, value)
        return end

    def _source(self, path: Path, at: int) -> Source:
        starts = self.line_starts[path]
        line = bisect_right(starts, at)
        return Source(str(path), line, at - starts[line - 1] + 1)

    def _entry(self, path: Path, text: str, at: int, key: str, value: str) -> None:
        pairs: dict[str, str] | str = {}
        if self.section in PAIRS and key != EVERYTHING:
            pairs = parse_pairs(value)
        if isinstance(pairs, str):
            self._stop(path, text, at, pairs)
            return
        entry = Entry(self.section, key, value, self._source(path, at), _line(text, at), pairs)
        if self.section == "databases":
            self._check_name(path, text, at, entry)
        self._check_pairs(path, text, at, entry)
        self.entries.append(entry)

    def _check_name(self, path: Path, text: str, at: int, entry: Entry) -> None:
        if entry.key == RESERVED:
            self._stop(path, text, at, f"{RESERVED} is the database of the console")
        elif len(encode(entry.key)) > LONGEST:
            self._stop(path, text, at, f"{entry.key} is longer than {LONGEST} bytes")

    def _check_pairs(self, path: Path, text: str, at: int, entry: Entry) -> None:
        known = self.keys.get(entry.section)
        for name, value in entry.pairs.items():
            if known is not None and name not in known:
                self._stop(path, text, at, f"unknown key {name} in the entry {entry.key}")
            elif name == "pool_mode" and value.lower() not in POOL_MODES:
                modes = ", ".join(POOL_MODES)
                self._stop(path, text, at, f"pool_mode={value} of {entry.key} is none of {modes}")
            elif name == "port" and not _number(value):
                self._stop(path, text, at, f"port={value} of {entry.key} is no port")
            elif name in NUMBERS and _number(value) is None:
                self.problem(
                    path, text, at, f"{name}={value} of {entry.key} is no number; pgbouncer reads 0",
                    severity="warning", code="no-number",
                )  # fmt: skip

    def _stop(self, path: Path, text: str, at: int, message: str) -> None:
        self.problem(path, text, at, message)
        self.stopped = True

    def problem(
        self,
        path: Path,
        text: str,
        at: int,
        message: str,
        *,
        severity: str = "error",
        code: str | None = None,
    ) -> None:
        # The line of an entry may hold a password.
        shown = None if "password" in (line := _line(text, at)) else line
        self.problems.append(
            Diagnostic(self._source(path, at), message, severity=severity, code=code, text=shown)
        )


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _line(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 : _line_end(text, at)]
