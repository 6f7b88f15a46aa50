"""`renames.json`: renames, and consent to the loss of columns, beside the files that declare the schema.

    {"renames": [{"table": "t", "column": {"from": "a", "to": "b"}},
                 {"table": {"from": "x", "to": "y"}},
                 {"table": "t", "drop": "c", "reason": "kept in the warehouse"}]}

Names are written by PostgreSQL's rules, with double quotes where they need them, and with a schema
where the name of a table alone is not enough. A table is called as it is declared.

The file is a history: entries stay when they are done. Other keys of an entry (`pr`, `date`) are ignored, and so
are entries about tables and columns that are no longer declared; a note names both.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.desired.files import read_text
from novaops.desired.names import name_at
from novaops.desired.renames import Rename
from novaops.desired.split import File
from novaops.diagnostics import Diagnostic, DiagnosticsError

KEYS = ("table", "column", "drop", "reason")
RELATIONS = frozenset({"table", "view", "materialized view", "foreign table"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of the list: `table` with `column`, with `drop`, or renamed itself."""

    value: Mapping[str, Any]
    at: Diagnostic

    def wrong(self, message: str, hint: str | None = None) -> Diagnostic:
        return Diagnostic(self.at.source, message, text=self.at.text, length=self.at.length, hint=hint)


@dataclass(frozen=True, slots=True)
class ConsentToDrop:
    """A column of a declared table that may be lost, and why."""

    table: Object
    column: str
    reason: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class RenamesFile:
    """The entries of the file in their order; `ignored_keys` are notes about keys without a meaning."""

    entries: tuple[Entry, ...]
    ignored_keys: tuple[str, ...] = ()

    def renames(self, desired: Snapshot) -> list[Rename]:
        """What the declared objects were called; raises `DiagnosticsError` where a name is ambiguous.

        What was renamed more than once has several earlier names.
        """
        problems: list[Diagnostic] = []
        found: list[Rename] = []
        for index, entry in enumerate(self.entries):
            made = self._rename(index, desired) if "drop" not in entry.value else None
            if isinstance(made, Diagnostic):
                problems.append(made)
            elif made is not None:
                found.append(made)
        if problems:
            raise DiagnosticsError(problems)
        return list(reversed(found))

    def drops(self, desired: Snapshot) -> Iterator[ConsentToDrop]:
        """Consents to the loss of columns; raises `DiagnosticsError` where one is declared after all."""
        for index, entry in enumerate(self.entries):
            if "drop" not in entry.value:
                continue
            table = _table(entry, self._table_in_the_end(index), desired)
            if table is None:
                continue
            if isinstance(table, Diagnostic):
                raise DiagnosticsError([table])
            column = _names(entry.value["drop"])[-1]
            if _column(table, column, desired) is not None:
                raise DiagnosticsError(
                    [entry.wrong(f"column {column} of {table.identity} is declared: it is not dropped")]
                )
            yield ConsentToDrop(table, column, entry.value["reason"], entry)

    def notes(self, desired: Snapshot) -> Iterator[str]:
        """Name the keys that have no meaning, and in one note the entries about what is not declared."""
        yield from self.ignored_keys
        skipped = [e.at.source for i, e in enumerate(self.entries) if self._is_skipped(i, desired)]
        if skipped:
            lines = ", ".join(str(line) for line in dict.fromkeys(source.line for source in skipped))
            entries = "entry is" if len(skipped) == 1 else "entries are"
            yield (
                f"{skipped[0].file}: {len(skipped)} {entries} skipped (line{'s' if ',' in lines else ''} {lines}):"
                " the schema files declare no such table or column"
            )

    def _is_skipped(self, index: int, desired: Snapshot) -> bool:
        if "drop" in self.entries[index].value:
            return _table(self.entries[index], self._table_in_the_end(index), desired) is None
        return self._rename(index, desired) is None

    def _rename(self, index: int, desired: Snapshot) -> Rename | Diagnostic | None:
        """The rename of an entry; None if the table or the column is not declared (any more)."""
        entry = self.entries[index]
        column = entry.value.get("column")
        change = column or entry.value["table"]
        table = _table(entry, self._table_in_the_end(index), desired)
        if table is None or isinstance(table, Diagnostic):
            return table
        if column is None:
            return Rename(table.address, _names(change["from"]), entry.at)
        name = self._column_in_the_end(index)[-1]
        obj = _column(table, name, desired)
        if obj is None:
            return None
        return Rename(obj.address, _names(change["from"]), entry.at)

    def _table_in_the_end(self, index: int) -> tuple[str, ...]:
        """What the table of an entry is called after those that follow it."""
        table = self.entries[index].value["table"]
        names = _names(table["to"] if isinstance(table, dict) else table)
        for entry in self.entries[index + 1 :]:
            later = entry.value["table"]
            if isinstance(later, dict) and _names(later["from"]) == names:
                names = _names(later["to"])
        return names

    def _column_in_the_end(self, index: int) -> tuple[str, ...]:
        names = _names(self.entries[index].value["column"]["to"])
        table = self._table_in_the_end(index)
        for later in range(index + 1, len(self.entries)):
            column = self.entries[later].value.get("column")
            if column and _names(column["from"]) == names and self._table_in_the_end(later) == table:
                names = _names(column["to"])
        return names


def load_renames(path: Path) -> RenamesFile:
    """The file's entries; raises `DiagnosticsError` for what it may not say."""
    file = File.of(str(path), read_text(path))
    try:
        value = json.loads(file.text)
    except json.JSONDecodeError as error:
        raise DiagnosticsError([file.diagnostic(error.pos, f"this is no JSON: {error.msg}")]) from None
    if not isinstance(value, dict) or not isinstance(value.get("renames"), list):
        hint = 'write {"renames": [{"table": "t", "column": {"from": "a", "to": "b"}}]}'
        raise DiagnosticsError(
            [file.diagnostic(0, "the file needs an object with the list “renames”", hint=hint)]
        )
    entries = tuple(_entries(file, value["renames"]))
    if problems := [problem for entry in entries if (problem := _checked(entry))]:
        raise DiagnosticsError(problems)
    return RenamesFile(entries, tuple(_ignored_keys(file, value, entries)))


def _ignored_keys(file: File, value: Mapping[str, Any], entries: Sequence[Entry]) -> Iterator[str]:
    """Name each key without a meaning once, where it occurs first."""
    places: dict[str, str] = {key: file.name for key in value if key != "renames"}
    for entry in entries:
        for key in _unknown_keys(entry.value):
            places.setdefault(key, f"{entry.at.source.file}:{entry.at.source.line}")
    for key, place in places.items():
        yield f"{place}: key “{key}” is ignored; it has no meaning to novaops"


def _unknown_keys(value: Mapping[str, Any]) -> list[str]:
    changes = [value[key] for key in ("table", "column") if isinstance(value.get(key), dict)]
    inside = [key for change in changes for key in change if key not in ("from", "to")]
    return [*(key for key in value if key not in KEYS), *inside]


def _entries(file: File, values: Sequence[Any]) -> Iterator[Entry]:
    """The elements with their places."""
    at = _list_at(file.text)
    for value in values:
        while file.text[at] in " \t\r\n,":
            at += 1
        _, end = json.JSONDecoder().raw_decode(file.text, at)
        yield Entry(value, file.diagnostic(at, "", length=end - at))
        at = end


def _list_at(text: str) -> int:
    """Where the elements of the list “renames” begin; the text is a JSON object that has it."""
    decoder = json.JSONDecoder()
    at = text.index("{") + 1
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        key, at = decoder.raw_decode(text, at)
        at = text.index(":", at) + 1
        while text[at] in " \t\r\n":
            at += 1
        if key == "renames":
            return at + 1
        _, at = decoder.raw_decode(text, at)


def _checked(entry: Entry) -> Diagnostic | None:
    value = entry.value
    if not isinstance(value, dict):
        return entry.wrong("an entry has to be an object", f"with the keys {', '.join(KEYS)}")
    for key in value:
        near = difflib.get_close_matches(key, KEYS, n=1)
        if key not in KEYS and near and near[0] not in value:
            return entry.wrong(f"there is no key “{key}”", f"did you mean “{near[0]}”?")
    table, reason, form = value.get("table"), value.get("reason"), set(value) & {"column", "drop"}
    if form == {"drop"} and reason and isinstance(reason, str):
        return (
            None
            if _is_name(table) and _is_name(value["drop"])
            else entry.wrong("“table” and “drop” have to be names")
        )
    if form == {"column"}:
        good = _is_name(table) and _is_change(value["column"])
        return None if good else entry.wrong("“table” has to be a name, and “column” to have “from” and “to”")
    if not form:
        return None if _is_change(table) else entry.wrong("“table” alone has to have “from” and “to”")
    return entry.wrong("an entry has a table, and a column, or a drop with a reason, or nothing else")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(_names(value)) and name_at(value, 0)[1] == len(value)


def _is_change(value: Any) -> bool:
    return isinstance(value, dict) and _is_name(value.get("from")) and _is_name(value.get("to"))


def _names(text: str) -> tuple[str, ...]:
    return name_at(text, 0)[0]


def _table(entry: Entry, names: tuple[str, ...], desired: Snapshot) -> Object | Diagnostic | None:
    """The declared table of that name; None if there is none (any more)."""
    found = [o for o in desired if o.address.type in RELATIONS and o.address.names[-len(names) :] == names]
    text = ".".join(names)
    if not found:
        return None
    if len(found) > 1:
        return entry.wrong(f"there is more than one table {text}", f"write {found[0].identity}")
    return found[0]


def _column(table: Object, name: str, desired: Snapshot) -> Object | None:
    children = desired.children.get(table.address, ())
    return next((c for c in children if c.address.type.endswith("column") and c.name == name), None)
