"""Splits the text of a file into statements and backslash commands, by psql's rules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from novaops.desired.lexer import Token, token_at, tokens
from novaops.diagnostics import Diagnostic, Source

WORDS = 12
"""How many leading tokens a statement keeps at hand; no command is told by more."""


@dataclass(frozen=True, slots=True)
class File:
    """A file's name as people wrote it, and its text."""

    name: str
    text: str = field(repr=False)
    starts: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, name: str, text: str) -> File:
        starts = [0]
        while at := text.find("\n", starts[-1]) + 1:
            starts.append(at)
        return cls(name, text, tuple(starts))

    def source(self, offset: int) -> Source:
        line = bisect_right(self.starts, offset)
        return Source(self.name, line, offset - self.starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Text of a line, counted from 1, without its end."""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")

    def diagnostic(
        self,
        offset: int,
        message: str,
        *,
        length: int = 1,
        severity: str = "error",
        code: str | None = None,
        notes: tuple[str, ...] = (),
        hint: str | None = None,
        secret: bool = False,
    ) -> Diagnostic:
        """A finding at an offset; the line of a secret is not quoted."""
        source = self.source(offset)
        text = None if secret else self.line(source.line)
        length = max(1, min(length, len(text or "") - source.column + 1))
        return Diagnostic(source, message, severity, code, text, length, notes, hint)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, from its first token to its last.

    `words` are its first tokens, words in upper case; `variables` the (offset, name) of what psql
    would take for its variables (`:name`), which an array slice may be as well.
    """

    file: File = field(repr=False)
    start: int
    end: int
    words: tuple[str, ...]
    variables: tuple[tuple[int, str], ...] = ()

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    @property
    def source(self) -> Source:
        return self.file.source(self.start)

    def tokens(self, limit: int | None = None) -> list[tuple[Token, str]]:
        """Its (first) tokens with offsets from its own start, and the text of each, words in upper case."""
        text = self.text
        return [(t, _word(t, text)) for t in islice(tokens(text), limit)]

    @property
    def secret(self) -> bool:
        """Whether it may hold a password, so that its text is never shown."""
        return self.words[1:2] in (("SUBSCRIPTION",), ("SERVER",)) or self.words[1:3] == ("USER", "MAPPING")


@dataclass(frozen=True, slots=True)
class Command:
    """A backslash command: `name` without the backslash, `argument` the rest of its line.

    `inside` is true when a statement has begun before it on the same or an earlier line.
    """

    file: File = field(repr=False)
    start: int
    end: int
    name: str
    argument: str
    inside: bool


def split(file: File) -> Iterator[Statement | Command]:
    """Statements and backslash commands in order; a `LexicalError` ends the iteration.

    A semicolon ends a statement outside parentheses (multi-action rules) and outside
    BEGIN ATOMIC … END, in which each CASE has an END of its own.
    """
    text = file.text
    scan = _Scan(file)
    at = 0
    while (token := token_at(text, at)) is not None:
        at = token.end
        if token.kind == "command":
            at = _line_end(text, token.end)
            yield scan.command(token.start, at)
        elif token.kind == "other" and text[token.start] == ";" and not scan.nested:
            statement = scan.finish()
            if statement is not None:
                yield statement
                if scan.copying:
                    at = _copy_end(text, at)
            scan = _Scan(file)
        else:
            scan.add(token)
    last = scan.finish()
    if last is not None:
        yield last


class _Scan:
    """The statement that is being read."""

    __slots__ = ("atomic", "copying", "depth", "end", "file", "previous", "start", "variables", "words")

    def __init__(self, file: File) -> None:
        self.file = file
        self.start = -1
        self.end = -1
        self.depth = 0
        self.atomic = 0
        self.words: list[str] = []
        self.previous = ""
        self.copying = False
        self.variables: list[tuple[int, str]] = []

    @property
    def nested(self) -> bool:
        return self.depth > 0 or self.atomic > 0

    def add(self, token: Token) -> None:
        if self.start < 0:
            self.start = token.start
        self.end = token.end
        word = _word(token, self.file.text)
        if len(self.words) < WORDS:
            self.words.append(word)
        if token.kind == "word":
            self._nest(word)
        elif word == "(":
            self.depth += 1
        elif word == ")":
            self.depth = max(0, self.depth - 1)
        elif token.kind == "variable":
            self.variables.append((token.start, word[1:].strip("'\"{}?")))
        self.previous = word

    def _nest(self, word: str) -> None:
        if self.previous in (".", "AS"):
            return  # a name: reserved words may follow a dot and AS (ColLabel)
        if self.atomic:
            self.atomic += 1 if word == "CASE" else -1 if word == "END" else 0
        elif word == "ATOMIC" and self.previous == "BEGIN" and self.words[0] == "CREATE":
            self.atomic = 1
        elif word == "STDIN" and self.previous == "FROM" and self.words[0] == "COPY":
            self.copying = True

    def command(self, start: int, end: int) -> Command:
        line = self.file.text[start + 1 : end].strip()
        name, _, argument = line.partition(" ")
        return Command(self.file, start, end, name, argument.strip(), self.start >= 0)

    def finish(self) -> Statement | None:
        if self.start < 0:
            return None
        return Statement(self.file, self.start, self.end, tuple(self.words), tuple(self.variables))


def _word(token: Token, text: str) -> str:
    word = text[token.start : token.end]
    return word.upper() if token.kind == "word" else word


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _copy_end(text: str, at: int) -> int:
    """Where the data after COPY … FROM STDIN end: past the line that holds only a backslash and a dot."""
    at = _line_end(text, at)
    while at < len(text):
        end = _line_end(text, at + 1)
        if text[at + 1 : end].rstrip("\r") == "\\.":
            return end
        at = end
    return at
