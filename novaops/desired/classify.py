"""Decides, from the tokens of a statement, whether and how it runs in the shadow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from novaops.desired.lexer import Token
from novaops.desired.rules import ACTIONS, REFUSED, REPORTED, Action
from novaops.desired.settings import IGNORED, Change, change_of, set_config
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic

Tokens = list[tuple[Token, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a statement; `sql` is what runs, as long as the original up to its last change."""

    action: Action
    sql: str
    reason: str = ""
    hint: str | None = None
    change: Change | None = None


def refusals(statements: Iterable[Statement]) -> list[Diagnostic]:
    """A diagnostic for every statement that must not run."""
    found = []
    for statement in statements:
        verdict = classify(statement)
        if verdict.action is Action.REFUSE:
            found.append(diagnostic(statement, verdict))
    return found


def diagnostic(statement: Statement, verdict: Verdict) -> Diagnostic:
    """The finding that a statement was refused, or left out."""
    words = command_words(statement)
    refused = verdict.action is Action.REFUSE
    return statement.file.diagnostic(
        statement.start,
        f"{words} is refused: {verdict.reason}" if refused else f"{words}: {verdict.reason}",
        length=len(statement.text.partition("\n")[0]),
        severity="error" if refused else "notice",
        hint=verdict.hint,
        secret=statement.secret,
    )


def command_words(statement: Statement) -> str:
    """The command in words: as many as its entry in the rules has, or its first."""
    key, _ = _entry(statement.words)
    return key or statement.words[0]


def classify(statement: Statement) -> Verdict:
    """The verdict on one statement."""
    words = statement.words
    key, action = _entry(words)
    special = _SPECIAL.get(words[0])
    if special is not None and (verdict := special(statement)) is not None:
        return verdict
    text = statement.text
    if action is Action.REFUSE:
        return Verdict(action, text, *REFUSED[key])
    if action is Action.REPORT:
        return Verdict(action, text, REPORTED[key])
    return Verdict(action, text)


def executed(statements: Iterable[Statement]) -> list[Statement]:
    """The statements that are executed to build the desired state."""
    passive = (Action.SKIP, Action.REPORT, Action.REFUSE)
    return [statement for statement in statements if classify(statement).action not in passive]


def _entry(words: tuple[str, ...]) -> tuple[str, Action]:
    for length in (3, 2, 1):
        key = " ".join(words[:length])
        if key in REFUSED:
            return key, Action.REFUSE
        if key in REPORTED:
            return key, Action.REPORT
        if key in ACTIONS:
            return key, ACTIONS[key]
    return "", Action.RUN


def _grant(statement: Statement) -> Verdict | None:
    """GRANT and REVOKE: of a role when there is no ON, of something of the server, or of ours."""
    words = [w for _, w in statement.tokens()]
    if "ON" not in words:
        return Verdict(
            Action.REFUSE,
            statement.text,
            "membership in roles belongs to the whole server, not to this database's schema",
            "grant it before novaops runs",
        )
    on = words[words.index("ON") + 1 :]
    if on[:1] in (["PARAMETER"], ["TABLESPACE"]):
        return Verdict(Action.REFUSE, statement.text, *REFUSED["ALTER SYSTEM"])
    if on[:1] == ["DATABASE"]:
        return Verdict(Action.REPORT, statement.text, REPORTED["COMMENT ON DATABASE"])
    if on[:1] == ["ALL"]:
        # Which objects it meets depends on what exists when it runs.
        return Verdict(Action.BARRIER, statement.text)
    return None


def _set(statement: Statement) -> Verdict | None:
    if ACTIONS.get(" ".join(statement.words[:2])) is Action.SKIP:
        return None
    if ACTIONS.get(" ".join(statement.words[:3])) is Action.SKIP:
        return None
    change = change_of(statement)
    if change.name == "standard_conforming_strings" and statement.words[-1].strip("'") in ("OFF", "off"):
        return Verdict(
            Action.REFUSE,
            statement.text,
            "backslashes would mean something else",
            "write E'…' strings instead",
        )
    return _setting(change, statement)


def _setting(change: Change, statement: Statement) -> Verdict:
    if change.name in IGNORED:
        return Verdict(Action.SKIP, statement.text)
    return Verdict(Action.SETTING, change.sql or "", change=change)


def _select(statement: Statement) -> Verdict | None:
    found = statement.tokens()
    words = [w for _, w in found[:4]]
    if words[1:] == ["PG_CATALOG", ".", "SETVAL"] or words[1:3] == ["SETVAL", "("]:
        return Verdict(Action.SKIP, statement.text)
    change = set_config(found)
    return None if change is None else _setting(change, statement)


def _create(statement: Statement) -> Verdict | None:
    words = statement.words
    if words[1:2] == ("SUBSCRIPTION",):
        return Verdict(Action.RUN, _disconnected(statement))
    if "INDEX" in words[1:3] and "CONCURRENTLY" in words[2:4]:
        return Verdict(Action.RUN, _without_concurrently(statement))
    return None


def _drop(statement: Statement) -> Verdict | None:
    if statement.words[1:3] == ("INDEX", "CONCURRENTLY"):
        return Verdict(Action.RUN, _without_concurrently(statement))
    return None


def _refresh(statement: Statement) -> Verdict | None:
    return (
        Verdict(Action.RUN, _without_concurrently(statement)) if "CONCURRENTLY" in statement.words else None
    )


def _alter(statement: Statement) -> Verdict | None:
    words = statement.words
    if words[1:2] == ("SUBSCRIPTION",):
        rest = [w for _, w in statement.tokens()][3:]
        if rest[:1] in (["ENABLE"], ["DISABLE"], ["REFRESH"]):
            return Verdict(Action.SKIP, statement.text)
        if "PUBLICATION" in rest:
            return Verdict(
                Action.REFUSE,
                statement.text,
                "it would reach out to another server",
                "name the publications in CREATE SUBSCRIPTION",
            )
    if words[1:2] == ("TABLE",) and "DETACH" in words:
        return Verdict(Action.RUN, _without_concurrently(statement))
    return None


_SPECIAL = {
    "GRANT": _grant, "REVOKE": _grant, "SET": _set, "RESET": _set, "SELECT": _select,
    "CREATE": _create, "DROP": _drop, "REFRESH": _refresh, "ALTER": _alter,
}  # fmt: skip


def _without_concurrently(statement: Statement) -> str:
    """The statement with the word made blank, so that every offset stays what it was."""
    text = statement.text
    for token, word in statement.tokens(16):
        if word == "CONCURRENTLY":
            return text[: token.start] + " " * len(word) + text[token.end :]
    return text


def _disconnected(statement: Statement) -> str:
    """CREATE SUBSCRIPTION … WITH (connect = false): it then does nothing but enter the catalog.

    With it, `enabled`, `create_slot` and `copy_data` must not be true (they become false by default).
    """
    found = statement.tokens()
    words = [w for _, w in found]
    text = statement.text
    if "WITH" not in words:
        return f"{text} WITH (connect = false)"
    opening = words.index("WITH") + 1
    kept = ["connect = false"]
    for option in _options(found[opening + 1 : -1]):
        if option[0][1] not in ("CONNECT", "ENABLED", "CREATE_SLOT", "COPY_DATA"):
            kept.append(text[option[0][0].start : option[-1][0].end])
    return f"{text[: found[opening][0].end]}{', '.join(kept)})"


def _options(found: Tokens) -> list[Tokens]:
    """The tokens between commas."""
    options: list[Tokens] = [[]]
    for item in found:
        if item[1] == ",":
            options.append([])
        else:
            options[-1].append(item)
    return [option for option in options if option]
