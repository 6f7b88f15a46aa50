"""Directives in comments of the files: `-- novaops: renamed from old_name`, and what each stands by.

A directive at the end of a line belongs to the column, constraint, attribute or label that the line
declares, or to the statement whose first line it is; one on a line of its own to what follows.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from novaops.desired.files import Script
from novaops.desired.items import Item, items
from novaops.desired.lexer import LexicalError, Token, comments, folded, token_at, tokens
from novaops.desired.literals import literal
from novaops.desired.split import File, Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError

DIRECTIVE = re.compile(r"--[ \t]*novaops:", re.IGNORECASE)
RENAMED = ("renamed", "from")
USAGE = "-- novaops: renamed from old_name"
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


@dataclass(frozen=True, slots=True)
class Annotation:
    """`before` is the old name, after that of its schema where it is given; `item` None: of the statement."""

    statement: Statement
    item: Item | None
    before: tuple[str, ...]
    at: Diagnostic
    """Its place; whoever finds fault with it puts in what is wrong."""


class _MisplacedError(Exception):
    """Why a directive refers to nothing."""


def directives(script: Script) -> list[Annotation]:
    """All directives of the files; raises `DiagnosticsError` where one is unknown or refers to nothing."""
    found: list[Annotation] = []
    problems: list[Diagnostic] = []
    for file in script.files:
        if not DIRECTIVE.search(file.text):
            continue
        statements = [s for s in script.statements if s.file is file]
        for comment in _comments(file, statements):
            match = DIRECTIVE.match(file.text, comment.start, comment.end)
            if match is None:
                continue
            made = _annotation(file, statements, comment, match.end())
            if isinstance(made, Annotation):
                found.append(made)
            else:
                problems.append(made)
    if problems:
        raise DiagnosticsError(problems)
    return found


def _comments(file: File, statements: Sequence[Statement]) -> Iterator[Token]:
    """Comments between and within the statements; the rows after a COPY may be anything."""
    edges = [0, *(s.end for s in statements), len(file.text)]
    for start, end in pairwise(edges):
        try:
            yield from comments(file.text, start, end)
        except LexicalError:
            continue


def _annotation(
    file: File, statements: Sequence[Statement], comment: Token, after: int
) -> Annotation | Diagnostic:
    text = file.text[comment.start : comment.end].rstrip()
    line = file.text.rfind("\n", 0, comment.start) + 1
    secret = any(s.secret for s in statements if s.start < comment.start and s.end > line)
    at = file.diagnostic(comment.start, "", length=len(text), secret=secret)
    said = [(t, file.text[t.start + after : t.end + after]) for t in _words(file.text[after : comment.end])]
    words = tuple(word.lower() for _, word in said[:2])
    if words != RENAMED:
        return _unknown(at, " ".join(word for _, word in said))
    before = _name(said[2:])
    if before is None:
        return _with(at, "no name stands after “renamed from”, or more than one", f"write {USAGE}")
    try:
        statement, item = _subject(file.text, statements, comment)
    except _MisplacedError as error:
        return _with(at, f"“renamed from” refers to nothing: {error}", "write it at the end of the line"
                     " of a column or constraint, or on the line before a statement")  # fmt: skip
    return Annotation(statement, item, before, at)


def _words(text: str) -> list[Token]:
    try:
        return list(tokens(text))
    except LexicalError:
        return []


def _unknown(at: Diagnostic, said: str) -> Diagnostic:
    known = " ".join(RENAMED)
    start = " ".join(said.split()[:2])
    near = difflib.get_close_matches(start.lower(), [known], n=1)
    hint = f"did you mean {USAGE}?" if near else f"the files may say: {USAGE}"
    return _with(at, f"there is no directive “{start}”", hint)


def _with(at: Diagnostic, message: str, hint: str) -> Diagnostic:
    return Diagnostic(at.source, message, at.severity, at.code, at.text, at.length, hint=hint)


def _name(said: Sequence[tuple[Token, str]]) -> tuple[str, ...] | None:
    """A name, maybe qualified, or a label as a string constant; None when it is anything else."""
    if len(said) == 1 and said[0][0].kind == "string":
        word = said[0][1]
        value = literal(word, Token("string", 0, len(word)))
        return (value.value,) if value else None
    names, dots = said[::2], said[1::2]
    if not names or len(said) % 2 == 0 or len(names) > 2 or any(word != "." for _, word in dots):
        return None
    if any(token.kind not in ("word", "quoted") for token, _ in names):
        return None
    return tuple(folded(word) for _, word in names)


def _subject(text: str, statements: Sequence[Statement], comment: Token) -> tuple[Statement, Item | None]:
    line = text.rfind("\n", 0, comment.start) + 1
    index = bisect_right([s.start for s in statements], comment.start)
    last = statements[index - 1] if index else None
    inside = last is not None and comment.start < last.end
    if last is not None and text[line : comment.start].strip():
        if last.end <= line:
            raise _MisplacedError("no statement stands on its line")
        return last, _on_line(last, line, comment, inside)
    if last is not None and inside:
        following = token_at(text, comment.end)
        item = next((i for i in items(last) if following and i.start == following.start), None)
        if item is None:
            raise _MisplacedError("what follows is no column, constraint, attribute or label")
        return last, item
    following = token_at(text, comment.end)
    then = statements[index] if index < len(statements) else None
    if then is None or following is None or following.start != then.start:
        raise _MisplacedError("no statement follows")
    if _BLANK_LINE.search(text, comment.end, then.start):
        raise _MisplacedError("an empty line parts it from the statement that follows")
    return then, None


def _on_line(statement: Statement, line: int, comment: Token, inside: bool) -> Item | None:
    """What the line declares, up to the comment at its end; None: the statement."""
    found = [i for i in items(statement) if i.start < comment.start and i.end > line]
    if statement.start >= line:
        return found[-1] if found and inside else None
    if not found:
        raise _MisplacedError("the line declares no column, constraint, attribute or label")
    if len(found) > 1:
        raise _MisplacedError("the line declares more than one thing")
    return found[0]
