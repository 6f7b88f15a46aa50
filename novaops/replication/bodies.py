"""What the text of a function names. PostgreSQL keeps no dependencies of it (documentation, "Dependency Tracking")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from novaops.desired.lexer import LexicalError, folded, tokens

LANGUAGES = frozenset(["sql", "plpgsql"])
"""Languages whose text PostgreSQL's own lexer reads."""
# What comes before the name of a relation; a word before "(" is a function's.
BEFORE_RELATION = frozenset(["from", "join", "into", "update", "only", "table", "using", "truncate"])
SEARCH_PATH = "search_path="


class Name(NamedTuple):
    """A name in a body; without a schema it is looked for along the search_path."""

    schema: str | None
    name: str


class Named(NamedTuple):
    """The names of a body, by the places in which they stand."""

    relations: frozenset[Name] = frozenset()
    functions: frozenset[Name] = frozenset()


def named_in(body: str) -> Named:
    """Names in the place of a relation, and in that of a function; what is none of either is among them, too."""
    try:
        pieces = [(t.kind, body[t.start : t.end]) for t in tokens(body)]
    except LexicalError:
        return Named()
    relations, functions = set(), set()
    for index, (kind, text) in enumerate(pieces):
        qualified = index > 1 and pieces[index - 1][1] == "." and pieces[index - 2][0] in ("word", "quoted")
        first = index - 2 if qualified else index
        before = pieces[first - 1][1].lower() if first else ""
        after = pieces[index + 1][1] if index + 1 < len(pieces) else ""
        if kind not in ("word", "quoted") or before == "." or after == ".":
            continue
        name = Name(folded(pieces[first][1]) if qualified else None, folded(text))
        if before in BEFORE_RELATION:
            relations.add(name)
        elif after == "(":
            functions.add(name)
    return Named(frozenset(relations), frozenset(functions))


def words_of(body: str) -> list[str]:
    """The words of a body outside of strings and comments, in lower case."""
    try:
        return [body[t.start : t.end].lower() for t in tokens(body) if t.kind == "word"]
    except LexicalError:
        return []


def search_path(settings: Iterable[str]) -> tuple[str, ...] | None:
    """The schemas of a function's own search_path, from `pg_proc.proconfig`; None where it has none."""
    for setting in settings:
        if setting.startswith(SEARCH_PATH):
            text = setting.removeprefix(SEARCH_PATH)
            return tuple(folded(text[t.start : t.end]) for t in tokens(text) if t.kind in ("word", "quoted"))
    return None
