"""TOML files that people write: read whole, with findings that point at the line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novaops.diagnostics import Diagnostic, DiagnosticsError, Source

# tomllib tells the position in its message only (attributes of their own since Python 3.14).
POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\]]*?)\s*\]")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed file and its text."""

    path: Path
    text: str
    data: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        text = path.read_text()
        try:
            return cls(path, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise DiagnosticsError([_syntax_error(path, text, str(error))]) from error

    def problem(
        self,
        message: str,
        section: str,
        key: str | None = None,
        hint: str | None = None,
        number: int | None = None,
    ) -> Diagnostic:
        """A finding at the line of a section's header, or of a key in it.

        Of an array of tables (`[[section]]`) it is the table with that number, counted from 0.
        """
        line = self._line(section, key, number)
        text = self.text.splitlines()[line - 1]
        word = key or section
        column = max(text.find(word), 0)
        return Diagnostic(
            Source(str(self.path), line, column + 1), message, text=text, length=len(word), hint=hint
        )

    def unknown(
        self, section: str, key: str | None, known: Iterable[str], number: int | None = None
    ) -> Diagnostic:
        """The finding for a name that means nothing, with the one that was meant, maybe."""
        names = sorted(known)
        word = section if key is None else key
        near = difflib.get_close_matches(word, names, n=1)
        return self.problem(
            f"unknown section [{section}]" if key is None else f"unknown key {key} in [{section}]",
            section,
            key,
            hint=f"did you mean {near[0]}?" if near else f"there is: {', '.join(names)}",
            number=number,
        )

    def _line(self, section: str, key: str | None, wanted: int | None) -> int:
        """Line of the section, or of the key in it; 1 when it is written in another way (a dotted key)."""
        found, inside, seen = 1, False, -1
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := HEADER.match(line):
                same = header["name"].strip("\"'") == section
                seen += same
                inside = same and wanted in (None, seen)
                found = number if inside else found
            if key is not None and inside and line.split("=")[0].strip(" \t\"'") == key:
                return number
            if key is None and line.split("=")[0].strip() == section:
                return number
        return found


def _syntax_error(path: Path, text: str, message: str) -> Diagnostic:
    lines = text.splitlines() or [""]
    position = POSITION.search(message)
    line = int(position["line"]) if position and position["line"] else len(lines)
    column = int(position["column"]) if position and position["column"] else 1
    shown = lines[min(line, len(lines)) - 1]
    return Diagnostic(Source(str(path), line, column), POSITION.sub("", message), text=shown)
