"""The command lines of novaops in a text, and whether the command line of novaops takes them.

`tests/architecture/test_printed_commands.py` holds the source and the documentation to it; the fixtures of
`tests/conftest.py` and `tests/cli/conftest.py` what tests print.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from novaops.cli import COMMANDS, novaops

START = re.compile(r"(?<![\w./@-])novaops(?= +[a-z-])")
WORD = re.compile(r"""(?:\$'(?:\\.|[^'\\])*'|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\;|&<>()`])+""")
PUNCTUATION = ",:.?!"
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Printed:
    """A command line within a text. `exact`: all of it is the command, as no prose follows on its line."""

    words: tuple[str, ...]
    exact: bool
    role: str = "said"
    """"next": it continues the call that printed it. "hint": it is a way out of an error. "said": prose names it."""

    def __str__(self) -> str:
        return shlex.join(self.words)


def printed(text: str) -> Iterator[Printed]:
    """Return the command lines of a text that novaops prints: those of `next` lines, in backticks, in prose."""
    for line in text.replace("\\\n", " ").splitlines():
        exact = line.startswith("next  ")
        is_hint = re.match(r"\s*= hint: |\s*→ ", line)
        role = "next" if exact or "to go on: novaops" in line else "hint" if is_hint else "said"
        for start in START.finditer(line):
            quoted = line[: start.start()].endswith("`")
            yield Printed(tuple(words(line[start.start() :])), exact or quoted, role)


def words(line: str) -> Iterator[str]:
    """Return the words of the shell command at the beginning of a line, up to its end: `;`, `>`, two blanks, a comma."""
    at = 0
    while match := WORD.match(line, at):
        word = match[0]
        if word.startswith("#"):
            return
        bare = word.rstrip(PUNCTUATION) if not word.endswith(("..", "'", '"')) else word
        yield unquoted(bare)
        at = match.end()
        if bare != word or line[at : at + 2] == "  ":
            return
        at += len(line[at:]) - len(line[at:].lstrip(" "))


def unquoted(word: str) -> str:
    """The word as the command gets it."""
    if word.startswith("$'"):
        return word[2:-1].encode().decode("unicode_escape")
    try:
        return "".join(shlex.split(word))
    except ValueError:
        return word


def problem(command: Printed) -> str | None:
    """Return why novaops would not take the command; None where it does, or where the text only speaks of novaops."""
    name = command.words[1] if len(command.words) > 1 else ""
    if name not in COMMANDS and not name.startswith("-"):
        said = not command.exact and not any(word.startswith("--") for word in command.words[2:4])
        return None if said else f"there is no command {name}"
    return None if taken_by(command) is not None else refusal(command.words[1:])


GROUPS = {"alias", "config", "migrations", "replicate"}


def taken_by(command: Printed) -> list[str] | None:
    """Return the arguments of a command that novaops takes, without the prose that may follow them on the line.

    Prose has no options: the command is the longest beginning that novaops takes, and it has all of them.
    """
    words = list(command.words[1:])
    options = [i for i, word in enumerate(words, 1) if re.match(r"--?[a-z]", word)]
    ends = [len(words)]
    if not command.exact:
        last, start = max([0, *options]), 2 if words[:1] and words[0] in GROUPS else 1
        plain = (i for i, w in enumerate(words) if i >= max(last + 1, start) and re.fullmatch("[a-z]+", w))
        ends = [*itertools.islice(plain, 1), *range(len(words), max(last - 1, 0), -1)]
    return next((words[:end] for end in ends if end and refusal(words[:end]) is None), None)


def shape(words: Sequence[str]) -> tuple[str, ...]:
    """Return the command and its options, without values."""
    return tuple(word for word in words if re.fullmatch(r"-*[a-z][a-z-]*", word))


LOOKS = {
    "plan": (), "explain": (), "history": (), "diff": (), "dump": (), "config explain": (), "migrations": (),
    "migrations list": (), "apply": ("--check",), "migrations run": ("--dry-run",),
    "replicate": ("--check",), "replicate run": ("--check",), "replicate status": (), "replicate triggers": (),
    "replicate compare": (), "replicate sequences": ("--check",), "replicate apply": ("--check",),
    "alias list": (), "alias graph": (), "alias check": ("--no-pooler", "--no-server"), "alias explain": (),
    "alias add": ("--dry-run",), "alias remove": ("--dry-run",), "alias rename": ("--dry-run",),
}  # fmt: skip
"""Commands that change nothing with these options."""
CHANGES = {
    "--repair",
    "--yes",
    "-y",
    "--out",
    "--watch",
    "--embedded",
    "--password-stdin",
    "--split",
    "--with-secrets",
}
"""Options without which a look is no look, or has no end, or asks."""


def reports(command: Printed) -> bool:
    """Return whether the command exits with 1 for what it finds."""
    return command.words[1:3] in [("replicate", "compare"), ("replicate", "status"), ("alias", "check")]


def without_effect(command: Printed) -> list[str] | None:
    """Return the arguments that run a command without changing anything; None where there is no such way."""
    taken = taken_by(command)
    if taken is None or any(word.isupper() and word.isalpha() for word in taken):  # a placeholder
        return None
    is_sub_command = taken[0] in GROUPS and len(taken) > 1 and not taken[1].startswith("-")
    look = LOOKS.get(" ".join(taken[: 2 if is_sub_command else 1]))
    if look is None or CHANGES & set(taken):
        return None
    return [*taken, *(option for option in look if option not in taken)]


def refusal(arguments: Sequence[str]) -> str | None:
    """Return why click refuses these arguments of novaops."""
    if "--help" in arguments or list(arguments) == ["--version"]:
        return None
    command: click.Command = novaops
    context: click.Context | None = None
    rest = list(arguments)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            while True:
                context = command.make_context(command.name, rest, parent=context)
                if not isinstance(command, click.Group):
                    return None
                given = [*context._protected_args, *context.args]
                _, found, rest = command.resolve_command(context, given)
                assert found is not None
                command = found
    except click.exceptions.Exit as end:
        return None if end.exit_code == 0 else "it ends with an error"
    except click.BadParameter as error:
        parameter = error.param or click.Argument(["none"])
        is_file = isinstance(parameter.type, click.Path)
        metavar = parameter.metavar or str(parameter.name).upper()  # what help shows for the value
        return None if is_file or metavar in arguments else error.format_message()
    except click.exceptions.NoArgsIsHelpError:
        return None
    except click.UsageError as error:
        return error.format_message()
