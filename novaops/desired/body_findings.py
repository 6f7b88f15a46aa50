"""From what is wrong with the body of a routine to a diagnostic at its place in the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from novaops.desired.attempt import Task
from novaops.desired.lexer import LexicalError, Token, tokens
from novaops.desired.literals import Literal, literal
from novaops.desired.names import name_at
from novaops.desired.rules import Action
from novaops.desired.settings import change_of
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic

WAY_OUT = "mend the body, or leave bodies unchecked with --check-functions off"

# What PL/pgSQL looks for only when it runs may exist by then: relations, functions, types, schemas.
LATE_BOUND = frozenset(["42P01", "42883", "42704", "3F000"])
SYNTAX_ERROR = "42601"
UNDEFINED_TABLE = "42P01"

_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_NEAR_LINE = re.compile(r"line ([0-9]+)")
RELATIONS = frozenset(["TABLE", "VIEW", "SEQUENCE"])
ROUTINES = frozenset(["FUNCTION", "PROCEDURE"])


@dataclass(frozen=True, slots=True)
class Trigger:
    """A table (oid) that a trigger's function is for, and what it calls the changed rows."""

    table: str
    old_table: str | None
    new_table: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A routine whose body is text. `name`: what it is called in messages; `planned`: its statements can be planned, no type depends on the call."""

    oid: int
    identity: str
    name: str
    schema: str
    validator: str
    source: str
    config: Mapping[str, str]
    planned: bool
    for_triggers: bool
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a body: `position` counts from 1 in `query`, `line` from 1 in the body.

    `late` findings are about statements that PostgreSQL itself looks at only when they run.
    """

    body: Body
    code: str
    message: str
    detail: str | None = None
    hint: str | None = None
    context: str | None = None
    line: int | None = None
    query: str | None = None
    position: int | None = None
    late: bool = False

    @property
    def tentative(self) -> bool:
        """Whether only a run can tell: what is looked for by name, or the columns of a row, may be there then."""
        return self.late and (self.position is None or self.code in LATE_BOUND)


def diagnostics(
    findings: Sequence[Finding],
    places: Places,
    bodies: Sequence[Body],
    unchanged: Mapping[str, bool],
    *,
    strict: bool,
) -> list[Diagnostic]:
    """The findings at their places; `bodies` are all those of the files.

    A finding is a warning, unless `strict`, if the body may be right when it runs, if PostgreSQL would not
    look at it, because the files have set `check_function_bodies` off, or if it is no worse than the live
    one: `unchanged` has those by identity, and whether they are refused. Of statements nobody knows that.
    """
    created = frozenset(name for body in bodies for name in created_relations(body.source))
    found = []
    for finding in findings:
        body = finding.body
        if _may_be_right(finding, created):
            continue
        no_worse = unchanged.get(body.identity, False) or (finding.late and body.identity in unchanged)
        tolerated = finding.tentative or no_worse or places.unchecked(body)
        found.append(places.diagnostic(finding, "warning" if tolerated and not strict else "error"))
    return found


def _may_be_right(finding: Finding, created: frozenset[str]) -> bool:
    """Whether what bodies do when they run, which nobody has seen, may make it right."""
    source = finding.body.source
    if finding.code == SYNTAX_ERROR:
        return False
    if "search_path" in source.lower() or (finding.late and [*created_relations(source)]):
        return True
    return finding.code == UNDEFINED_TABLE and _missing(finding) in created


def _missing(finding: Finding) -> str:
    """The bare name of the relation that does not exist."""
    if finding.query and finding.position:
        names, _ = name_at(finding.query, finding.position - 1)
        return names[-1] if names else ""
    quoted = _QUOTED.search(finding.message)
    return quoted[1].rpartition(".")[2] if quoted else ""


def created_relations(text: str) -> Iterator[str]:
    """Names of the relations that a body creates, in dynamic SQL too; a name that is put together is not told."""
    found: list[tuple[Token, str]] = []
    with suppress(LexicalError):
        found.extend((token, text[token.start : token.end]) for token in tokens(text))
    words = [word.upper() for _, word in found]
    for index, (token, _) in enumerate(found):
        if token.kind == "string" and (inner := literal(text, token)) is not None:
            yield from created_relations(inner.value)
        elif words[index] == "CREATE" and not RELATIONS.isdisjoint(words[index + 1 : index + 5]):
            at = next(i for i in range(index + 1, len(words)) if words[i] in RELATIONS) + 1
            at += 3 if words[at : at + 3] == ["IF", "NOT", "EXISTS"] else 0
            names, _ = name_at(text, found[at][0].start) if at < len(found) else ((), 0)
            yield names[-1] if names else ""


class Places:
    """Finds places in the files for places in bodies."""

    def __init__(self, tasks: Sequence[Task], makers: Mapping[int, Statement]) -> None:
        self.makers = makers
        self.off = frozenset(_without_check(tasks))
        self.texts: dict[str, list[tuple[Statement, Literal]]] = {}
        for statement in (task.statement for task in tasks):
            if statement.words[0] == "CREATE" and not ROUTINES.isdisjoint(statement.words[1:4]):
                for token, _ in statement.tokens():
                    if token.kind == "string" and (text := literal(statement.text, token)) is not None:
                        self.texts.setdefault(text.value, []).append((statement, text))

    def unchecked(self, body: Body) -> bool:
        """Whether the files keep PostgreSQL from looking at the body."""
        statement, _ = self.text(body)
        return (statement.file.name, statement.start) in self.off

    def text(self, body: Body) -> tuple[Statement, Literal | None]:
        """The statement that holds the body: the one that made the routine, or a later OR REPLACE."""
        maker = self.makers[body.oid]
        holders = self.texts.get(body.source, [])
        return next((each for each in holders if each[0] is maker), holders[-1] if holders else (maker, None))

    def diagnostic(self, finding: Finding, severity: str) -> Diagnostic:
        statement, text = self.text(finding.body)
        offset = _offset(finding)
        notes = [finding.detail, finding.hint]
        if offset is None or text is None or not text.offsets:
            at, length = 0, len(statement.text.partition("\n")[0])
            if offset is not None:
                line = finding.body.source.count("\n", 0, offset) + 1
                notes.insert(0, f"in line {line} of the body, which this statement makes")
        else:
            at, length = (
                text.offsets[min(offset, len(text.offsets) - 1)],
                _length(finding.body.source, offset),
            )
        return statement.file.diagnostic(
            statement.start + at,
            f"{finding.body.name}: {finding.message}",
            length=length,
            severity=severity,
            code=finding.code,
            notes=tuple(note for note in notes if note),
            hint=WAY_OUT,
        )


def _without_check(tasks: Sequence[Task]) -> Iterator[tuple[str, int]]:
    """File and offset of the statements before which the files have set check_function_bodies off."""
    off = False
    for task in tasks:
        words = task.statement.words
        if task.verdict.action is Action.SKIP and words[0] in ("SET", "RESET"):
            if change_of(task.statement).name == "check_function_bodies":
                # Any beginning of a value that is not ambiguous stands for it (section 20.1.1).
                value = words[-1].strip("'").lower()
                off = words[0] == "SET" and value.startswith(("of", "f", "n", "0"))
        elif off:
            yield task.statement.file.name, task.statement.start


def _offset(finding: Finding) -> int | None:
    """Where in the body it is: at a position of a query there, or else at the beginning of a line."""
    source, query = finding.body.source, finding.query
    if query == source and finding.position:
        return finding.position - 1
    line = finding.line
    if line is None and (near := _NEAR_LINE.search(finding.context or "")):
        line = int(near[1])
    if line is None:
        return None
    start = 0
    for _ in range(line - 1):
        start = source.find("\n", start) + 1
    if query and finding.position and (at := _found(query, source, start)) is not None:
        return at + finding.position - 1
    return start + len(source[start:]) - len(source[start:].lstrip())


def _found(query: str, source: str, start: int) -> int | None:
    """Where a query of PL/pgSQL stands in a body: it begins with SELECT for PERFORM, and has blanks for INTO."""
    skipped = 6 if query.startswith("SELECT") else 0
    tail = query[skipped:]
    for at in range(start, len(source) - len(tail) + 1):
        if all(one in (other, " ") for one, other in zip(tail, source[at : at + len(tail)], strict=True)):
            return at - skipped
    return None


def _length(source: str, offset: int) -> int:
    try:
        return name_at(source, offset)[1]
    except LexicalError:
        return 1
