"""The names that statements declare, for notes about names that nothing declares."""

from __future__ import annotations

import re
from dataclasses import dataclass

from novaops.desired.lexer import folded, token_at
from novaops.desired.split import Statement

# Between CREATE and the keyword of the kind, and between that keyword and the name.
_BEFORE = frozenset(
    ["OR", "REPLACE", "UNIQUE", "TEMPORARY", "TEMP", "UNLOGGED", "GLOBAL", "LOCAL", "RECURSIVE", "CONSTRAINT",
     "MATERIALIZED", "FOREIGN", "EVENT", "TRUSTED", "PROCEDURAL", "DEFAULT", "ACCESS", "TEXT", "SEARCH"]
)  # fmt: skip
_AFTER = frozenset(
    ["IF", "NOT", "EXISTS", "CONCURRENTLY", "METHOD", "WRAPPER", "CONFIGURATION", "DICTIONARY", "PARSER"]
)
_IDENTIFIER = re.compile(r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)')


@dataclass(frozen=True, slots=True)
class Declared:
    """What a CREATE statement creates: keyword of its kind, and the unquoted parts of its name."""

    kind: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind.lower()} {'.'.join(self.names)}"


def declared(statement: Statement) -> Declared | None:
    """What a statement creates, None when it creates nothing with a name of its own."""
    if statement.words[0] != "CREATE":
        return None
    words = [w for _, w in statement.tokens(16)]
    at = 1
    while at < len(words) and words[at] in _BEFORE:
        at += 1
    if at >= len(words):
        return None
    kind = words[at]
    if kind == "USER":
        return None  # MAPPING has no name
    at += 1
    while at < len(words) and words[at] in _AFTER:
        at += 1
    names = words[at : at + 1]
    while words[at + 1 : at + 2] == ["."]:
        at += 2
        names += words[at : at + 1]
    if not all(_IDENTIFIER.fullmatch(n) for n in names) or not names or names == ["ON"]:
        return None
    return Declared(kind, tuple(folded(n) for n in names))


def name_at(text: str, offset: int) -> tuple[tuple[str, ...], int]:
    """The possibly qualified name that starts at an offset, and the length of its text."""
    names: list[str] = []
    end = offset
    token = token_at(text, offset)
    while token is not None and token.kind in ("word", "quoted"):
        names.append(folded(text[token.start : token.end]))
        end = token.end
        token = token_at(text, end)
        if token is None or text[token.start : token.end] != ".":
            break
        token = token_at(text, token.end)
    if not names and token is not None:
        end = token.end
    return tuple(names), max(1, end - offset)
