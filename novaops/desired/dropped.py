"""Reads from DROP and ALTER TABLE … DROP COLUMN, by PostgreSQL's tokens, which objects they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from novaops.desired.lexer import folded
from novaops.desired.split import Statement

Word = tuple[str, str]
"""The kind of a token, and its text; words in upper case."""
KINDS = {
    "TABLE": "TABLE", "SEQUENCE": "SEQUENCE", "SCHEMA": "SCHEMA", "EXTENSION": "EXTENSION", "TYPE": "TYPE",
    "DOMAIN": "TYPE", "VIEW": "VIEW", "MATERIALIZED": "MATERIALIZED VIEW", "FUNCTION": "FUNCTION",
    "PROCEDURE": "FUNCTION",
}  # fmt: skip
"""Kinds of objects that have names of their own, by the word after DROP; a domain is a type (pg_type)."""
NO_COLUMN = frozenset(["CONSTRAINT"])
"""What may follow DROP in ALTER TABLE and is no column (documentation of ALTER TABLE)."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """An object that a statement drops: the keyword of its kind, its name with the schema if one is written.

    `column` is the column that is dropped from the table, None for the object itself.
    """

    kind: str
    names: tuple[str, ...]
    column: str | None = None
    cascade: bool = False


def dropped(statement: Statement) -> tuple[Dropped, ...]:
    """Return the objects that the statement drops; none for statements of other kinds."""
    text = statement.text
    words = [(t.kind, w if t.kind == "word" else text[t.start : t.end]) for t, w in statement.tokens()]
    spelled = [text[t.start : t.end] for t, _ in statement.tokens()]
    if statement.words[0] == "DROP" and statement.words[1] in KINDS:
        kind = KINDS[statement.words[1]]
        cascade = words[-1][1] == "CASCADE"
        at = _after_if_exists(words, 1 + len(kind.split()))
        return tuple(
            Dropped(kind, names, cascade=cascade)
            for part in _parts(words, at)
            if (names := _name(spelled, words, part))
        )
    if statement.words[:2] == ("ALTER", "TABLE"):
        return tuple(_columns(words, spelled))
    return ()


def _columns(words: Sequence[Word], spelled: Sequence[str]) -> Iterator[Dropped]:
    at = _after_if_exists(words, 2)
    at += words[at][1] == "ONLY"
    table = _name(spelled, words, range(at, len(words)))
    at += max(0, 2 * len(table) - 1)
    at += words[at : at + 1] == [("other", "*")]
    for part in _parts(words, at):
        if not part or words[part.start][1] != "DROP":
            continue
        name = part.start + 1
        if words[name : name + 1] and words[name][1] in NO_COLUMN:
            continue
        name += words[name : name + 1] == [("word", "COLUMN")]
        name = _after_if_exists(words, name)
        column = _name(spelled, words, range(name, part.stop))
        if column:
            cascade = words[part.stop - 1][1] == "CASCADE"
            yield Dropped("TABLE", table, column[0], cascade)


def _after_if_exists(words: Sequence[Word], at: int) -> int:
    return at + 2 if [w for _, w in words[at : at + 2]] == ["IF", "EXISTS"] else at


def _parts(words: Sequence[Word], at: int) -> Iterator[range]:
    """What stands between commas outside of parentheses."""
    depth, start = 0, at
    for index in range(at, len(words)):
        word = words[index][1]
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            yield range(start, index)
            start = index + 1
    yield range(start, len(words))


def _name(spelled: Sequence[str], words: Sequence[Word], part: range) -> tuple[str, ...]:
    """The possibly qualified name at the beginning of a part."""
    names: list[str] = []
    for index in part:
        if len(names) * 2 != index - part.start:  # a dot is due
            if words[index][1] != ".":
                break
        elif words[index][0] not in ("word", "quoted"):
            break
        else:
            names.append(folded(spelled[index]))
    return tuple(names)
