"""Queries of views as statements write them; not a kind itself."""

from __future__ import annotations

import re

VALUES = re.compile(
    r'\s*SELECT (?P<columns>.+?)\n\s+FROM \((?P<values>VALUES .+)\) "\*VALUES\*"(?P<rest>.*)', re.DOTALL
)
COLUMN = re.compile(r'column(?P<number>\d+)(?: AS (?P<name>"(?:[^"]|"")+"|[^\s",]+))?(?:,\s+|$)')


def with_columns(definition: str) -> tuple[str, str]:
    """A list of columns for CREATE … VIEW, or nothing, and the query.

    VALUES with other names for its columns is deparsed as a SELECT from VALUES (get_values_def in
    src/backend/utils/adt/ruleutils.c), which PostgreSQL reads as a subquery, and deparses as another one.
    """
    found = VALUES.fullmatch(definition)
    if found is None:
        return "", definition
    names, at, text = list[str](), 0, found["columns"]
    while (column := COLUMN.match(text, at)) and int(column["number"]) == len(names) + 1:
        names.append(column["name"] or f"column{column['number']}")
        at = column.end()
    if at < len(text):
        return "", definition
    return f" ({', '.join(names)})", f" {found['values']}{found['rest']}"
