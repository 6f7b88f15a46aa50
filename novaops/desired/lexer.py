"""PostgreSQL's tokens with exact offsets (documentation, section 4.1).

Only what separates one token from the next is known here: operators come as single characters,
since no statement boundary depends on where one ends. sqlglot's tokenizer is not used: it takes
`a$b$` (an identifier) for the start of a dollar-quoted string, and fails on the rest of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Every character outside ASCII is a letter to PostgreSQL, a no-break space too.
_START = r"A-Za-z_\x80-\U0010ffff"
_IDENTIFIER = rf"[{_START}][{_START}0-9$]*+"
_NEWLINE_BETWEEN = r"(?:[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?:[ \t\f\v\n\r]|--[^\n\r]*+[\n\r])*+"
_ESCAPED = r"(?:[^'\\]|\\.|'')*+"

TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f\v]++)
    | (?P<comment>--[^\n\r]*+)
    | (?P<block>/\*)
    | (?P<string>[eE]'{_ESCAPED}'(?:{_NEWLINE_BETWEEN}'{_ESCAPED}')*+ | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*+')
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*+")
    | (?P<unterminated>(?:[eEbBxXnN]|[uU]&)?' | (?:[uU]&)?")
    | (?P<word>{_IDENTIFIER})
    | (?P<number>[0-9](?:[0-9A-Za-z_]|\.(?!\.))*+)
    | (?P<parameter>\$[0-9]++)
    | (?P<dollar>\$(?:[{_START}][{_START}0-9]*+)?\$)
    | (?P<cast>::|:=)
    | (?P<variable>:(?:{_IDENTIFIER}|'{_IDENTIFIER}'|"{_IDENTIFIER}"|\{{\?{_IDENTIFIER}\}}))
    | (?P<command>\\)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_UNTERMINATED = {'"': "quoted identifier", "'": "quoted string"}


class Token(NamedTuple):
    """`kind` is the name of a group of `TOKEN`; the token is `text[start:end]`."""

    kind: str
    start: int
    end: int


class LexicalError(Exception):
    """A quote or comment that never ends; nothing after `offset` can be told apart."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def token_at(text: str, at: int) -> Token | None:
    """The first token from offset `at` on, past spaces and comments; None at the end."""
    while (piece := _piece_at(text, at)) is not None and piece.kind in ("space", "comment", "block"):
        at = piece.end
    return piece


def _piece_at(text: str, at: int) -> Token | None:
    """What begins at offset `at`: a token, or spaces or a comment; None at the end."""
    match = TOKEN.match(text, at)
    if match is None:
        return None
    kind = str(match.lastgroup)
    if kind == "block":
        return Token(kind, at, _block_end(text, at))
    if kind == "unterminated":
        raise LexicalError(f"unterminated {_UNTERMINATED[match[0][-1]]}", at)
    if kind == "dollar":
        close = text.find(match[0], match.end())
        if close < 0:
            raise LexicalError("unterminated dollar-quoted string", at)
        return Token("string", at, close + len(match[0]))
    return Token(kind, at, match.end())


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a text without backslash commands."""
    at = 0
    while (token := token_at(text, at)) is not None:
        yield token
        at = token.end


def comments(text: str, start: int, end: int) -> Iterator[Token]:
    """The comments of the form `-- …` that begin from `start` on and before `end`; no token begins in between."""
    while start < end and (piece := _piece_at(text, start)) is not None:
        if piece.kind == "comment":
            yield piece
        start = piece.end


def words_in(text: str) -> frozenset[str]:
    """What could be a name in a text, the inside of strings included."""
    spaced = "".join(c if c.isalnum() or c == "_" else " " for c in text)
    return frozenset(folded(word) for word in spaced.split())


def _block_end(text: str, start: int) -> int:
    """End of the block comment at `start`; they nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise LexicalError("unterminated /* comment", start)


def folded(name: str) -> str:
    """The name that an identifier's text stands for: unquoted, or folded to lower case."""
    if name.endswith('"'):
        return name[name.index('"') + 1 : -1].replace('""', '"')
    return name.lower() if name.isascii() else "".join(c.lower() if c.isascii() else c for c in name)
