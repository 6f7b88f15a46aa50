"""Every command line in the source and in the documentation is one that novaops takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from novaops.cli import COMMANDS, novaops
from tests.printed_commands import Printed, printed, problem, refusal, without_effect, words

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "novaops"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((PACKAGE / "explanations").glob("*.md")),
]
COMMAND = re.compile(rf"(?<![\w.-])novaops (?:{'|'.join(COMMANDS)})\b")
BUILDERS = {"command_line": 0, "next_line": 0, "confirmed": 1, "unproven": 0}
"""Functions that build a command line, and which of their arguments names the command."""
SPOKEN_OF = {
    "cli/options.py": ("Consent to a hazard, by name or code; repeatable. novaops explain lists them.",),
    "output/history.py": ("No run of novaops apply is recorded",),
    "output/markdown.py": ("(`novaops apply --allow …`)",),
    "output/migrations.py": ("waiting for novaops apply:",),
    "output/sql.py": ("novaops apply would",),
    "planning/own_grants.py": ("novaops replicate made this role",),  # COMMENT ON ROLE
    "pgbouncer/probe.py": ("novaops alias test",),  # application_name
    "pgbouncer/render.py": ("novaops alias writes what follows",),
}
"""Sentences that name a command and do not ask anybody to run it."""


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """All strings of a module but docstrings, with `{}` for what an f-string puts in."""
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts = (v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
            yield node.lineno, "".join(map(str, texts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


def test_command_lines_are_built_and_not_written() -> None:
    """What is written lacks the options of the call, and the quotes around names: it is `command_line()` that has them."""
    written = []
    for file in SOURCES:
        name = str(file.relative_to(PACKAGE))
        for line, text in literals(ast.parse(file.read_text())):
            is_epilog = name.startswith("cli/") and text.startswith("\b")
            if COMMAND.search(text) and not is_epilog and not any(s in text for s in SPOKEN_OF.get(name, ())):
                written.append(f"novaops/{name}:{line}: {text}")
    assert written == []


def called(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """The words of every command line that a module builds, as far as they are literals; 1 for others."""
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Name)
            or node.func.id not in BUILDERS
        ):
            continue
        arguments = node.args[BUILDERS[node.func.id] :]
        if not arguments or not isinstance(arguments[0], ast.Constant):
            continue
        line = str(arguments[0].value).split()
        for argument in arguments[1:]:
            if not isinstance(argument, ast.Starred):
                line.append(str(argument.value) if isinstance(argument, ast.Constant) else "1")
        for keyword in node.keywords:
            given = keyword.value.elts if isinstance(keyword.value, ast.List) else [keyword.value]
            if keyword.arg == "arguments" and not isinstance(keyword.value, ast.Name):
                line += [str(g.value) if isinstance(g, ast.Constant) else "1" for g in given]
        yield node.lineno, line


def test_novaops_takes_what_is_built() -> None:
    found = [
        (f"{file.relative_to(ROOT)}:{line}", arguments)
        for file in SOURCES
        for line, arguments in called(ast.parse(file.read_text()))
    ]
    assert len(found) > 80
    refused = [f"{place}: {' '.join(a)}: {why}" for place, a in found if (why := refusal(a)) is not None]
    assert refused == []


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for sub in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), sub)
            assert found is not None
            yield from commands(found, f"{name} {sub}")


def in_help() -> Iterator[tuple[str, str]]:
    """Lines of help that begin with a command, with the command whose help it is."""
    for name, command in commands(novaops, "novaops"):
        for text in (command.help, command.epilog):
            for line in (text or "").splitlines():
                at = re.search(r"(^|&& |\| )\s*novaops ", line)
                if at:
                    yield f"{name} --help", line[at.start() :].lstrip("&| ")


def in_pages() -> Iterator[tuple[str, str]]:
    """Command lines of code blocks and of inline code, with their place."""
    for page in PAGES:
        text = page.read_text()
        place = page.relative_to(ROOT)
        for block in re.finditer(r"^```.*?^```", text, re.M | re.S):
            for line in block[0].replace("\\\n", " ").splitlines():
                if at := re.match(r"(\$ |next +|.*[|&=] |.*hint: (?=novaops))?novaops ", line):
                    yield str(place), line[at.end() - len("novaops ") :]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for inline in re.finditer(r"`(novaops [^`]+)`", prose):
            yield str(place), inline[1].replace("\n", " ")


@pytest.mark.parametrize("source", [in_help, in_pages])
def test_documentation_shows_commands_that_exist(source) -> None:
    found = list(source())
    assert len(found) > 50
    refused = []
    for place, line in found:
        given = [word for word in words(line) if not word.startswith("[")]
        # `…` leaves out what the sentence is not about, names of groups what is to be chosen.
        why = None if "…" in line or line.endswith("|") else problem(Printed(tuple(given), exact=True))
        if why is not None:
            refused.append(f"{place}: {line}: {why}")
    assert refused == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("novaops aplly --yes", "there is no command aplly"),
        ("novaops plan --fil x.sql", "No such option"),
        ("novaops replicate statu", "No such command"),
        ("novaops history forty-two", "not a valid integer range"),
        ("novaops diff only.sql", "Missing argument"),
        ("novaops explain data-loss twice", "unexpected extra argument"),
    ],
)
def test_a_wrong_command_is_found(line: str, why: str) -> None:
    assert why in (problem(Printed(tuple(words(line)), exact=True)) or "")


@pytest.mark.parametrize(
    ("line", "run"),
    [
        ("next     novaops apply --allow a:b", "apply --allow a:b --check"),
        ("     = hint: novaops history lists the runs", "history"),
        ("     → novaops replicate --to x, or on y: SELECT 1", "replicate --to x --check"),
        ("     → novaops replicate rebuild --to x goes on from here", None),
        ("     → novaops migrations accept 0001_a.sql", None),
        ("     → novaops replicate compare --repair --to x", None),
        ("     → novaops replicate --to x --table TABLE", None),
        ("     → novaops alias check --no-pooler looks at the files", "alias check --no-pooler --no-server"),
    ],
)
def test_only_what_changes_nothing_is_run(line: str, run: str | None) -> None:
    (command,) = printed(line)
    assert problem(command) is None
    assert without_effect(command) == (None if run is None else run.split())
