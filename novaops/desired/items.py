"""What the statements that make tables, types and domains declare within them, by the tokens alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from novaops.desired.lexer import Token, folded
from novaops.desired.literals import literal
from novaops.desired.split import Statement

# What begins the element of a CREATE TABLE that is a constraint without a name, or copies others.
NAMELESS = frozenset({"PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE", "NOT"})
# A parenthesis after these does not hold the elements of a table.
NO_BODY = frozenset({"FROM", "TO", "IN", "WITH", "AS", "BY", "VALUES", "DEFAULT", "USING"})
Word = tuple[Token, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A column, constraint, attribute or label; `start` and `end` are offsets in the file.

    `name` is None when it has none of its own.
    """

    what: str
    name: str | None
    start: int
    end: int


def items(statement: Statement) -> list[Item]:
    """What a CREATE TABLE, TYPE or DOMAIN or an ALTER TABLE declares, in order."""
    words = statement.tokens()
    head = [word for _, word in words[:4]]
    if head[:1] == ["CREATE"] and "DOMAIN" in head[1:2]:
        return [_item(statement, part, "constraint") for part in _clauses(words)]
    if head[:1] == ["CREATE"] and not {"TABLE", "TYPE"}.isdisjoint(head[1:]):
        return [_item(statement, part, *_declared(part, statement)) for part in _body(words)]
    if head[:2] == ["ALTER", "TABLE"] or head[:3] == ["ALTER", "FOREIGN", "TABLE"]:
        found = (_added(part) for part in _parts(words))
        return [_item(statement, part, *_declared(part, statement)) for part in found if part]
    return []


def _item(statement: Statement, part: Sequence[Word], what: str, name: str | None = None) -> Item:
    if name is None and what == "constraint" and len(part) > 1 and part[0][1] == "CONSTRAINT":
        name = folded(_spelled(part[1], statement))
    return Item(what, name, statement.start + part[0][0].start, statement.start + part[-1][0].end)


def _declared(part: Sequence[Word], statement: Statement) -> tuple[str, str | None]:
    token, word = part[0]
    if token.kind == "string":
        value = literal(statement.text, token)
        return "label", value.value if value else None
    if token.kind == "word" and (word == "CONSTRAINT" or word in NAMELESS):
        return "constraint", None
    named = token.kind in ("word", "quoted")
    return "column", folded(_spelled(part[0], statement)) if named else None


def _spelled(word: Word, statement: Statement) -> str:
    """The word as it stands there: `Statement.tokens` has it in upper case."""
    return statement.text[word[0].start : word[0].end]


def _body(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The elements between the outermost parentheses that hold a table's or type's."""
    text = [word for _, word in words]
    enum = text[2:3] and "ENUM" in text[:8]
    for index in (i for i, word in enumerate(text) if word == "("):
        before = text[index - 1]
        if before not in NO_BODY or enum or (before == "AS" and "TYPE" in text[1:3]):
            yield from _parts(words[index + 1 :])
            return


def _parts(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words up to the parenthesis that closes, divided by commas."""
    part: list[Word] = []
    depth = 0
    for word in words:
        depth += (word[1] in ("(", "[")) - (word[1] in (")", "]"))
        if depth < 0:
            break
        if depth == 0 and word[1] == ",":
            yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def _added(part: Sequence[Word]) -> list[Word]:
    """What an action of ALTER TABLE adds, from its name or CONSTRAINT on; nothing for other actions."""
    text = [word for _, word in part]
    if "ADD" not in text:
        return []
    at = text.index("ADD") + 1
    at += text[at : at + 1] == ["COLUMN"]
    at += 3 * (text[at : at + 3] == ["IF", "NOT", "EXISTS"])
    return list(part[at:])


def _clauses(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The clauses of a CREATE DOMAIN that begin with CONSTRAINT."""
    starts = [i for i, (_, word) in enumerate(words) if word == "CONSTRAINT"]
    for start, end in pairwise([*starts, len(words)]):
        yield list(words[start:end])
