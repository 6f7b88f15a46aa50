"""String constants (documentation, section 4.1.2): what they stand for, and where each character is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from novaops.desired.lexer import Token

_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_BASES = (8, 16, 16, 16)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Literal:
    """The value of a constant; `offsets` are those of its characters in the text it was taken from."""

    value: str
    offsets: Sequence[int]


def literal(text: str, token: Token) -> Literal | None:
    """What a token of kind "string" stands for; None for the forms that no body is written in (U&, B, X)."""
    start, end = token.start, token.end
    first = text[start]
    if first == "$":
        tag = text.index("$", start + 1) + 1 - start
        return Literal(text[start + tag : end - tag], range(start + tag, end - tag))
    if first in "eE":
        return _read(text, start + 2, end - 1, escapes=True)
    if first == "'":
        return _read(text, start + 1, end - 1, escapes=False)
    return None


def _read(text: str, at: int, end: int, *, escapes: bool) -> Literal:
    """The characters up to `end`, with quotes doubled, and escaped by backslashes as well if `escapes`."""
    characters: list[str] = []
    offsets: list[int] = []
    while at < end:
        offsets.append(at)
        match = _ESCAPE.match(text, at, end) if escapes else None
        if match is not None:
            characters.append(_unescaped(match))
            at = match.end()
        else:
            characters.append(text[at])
            at += 2 if text[at] == "'" else 1
    return Literal("".join(characters), offsets)


def _unescaped(match: re.Match[str]) -> str:
    *numbers, other = match.groups()
    for digits, base in zip(numbers, _BASES, strict=True):
        if digits is not None:
            return chr(int(digits, base))
    return _CONTROL.get(other, other)
