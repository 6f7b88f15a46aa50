"""The command lines of novaops in a text, and whether the command line of novaops takes them.

`tests/architecture/test_printed_commands.py` holds the source and the documentation to it; the fixtures of
`tests/conftest.py` and `tests/cli/conftest.py` what tests print.
"""

from __future__ import annotations

import contextlib
import io
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

    def __str__(self) -> str:
        return shlex.join(self.words)


def printed(text: str) -> Iterator[Printed]:
    """Return the command lines of a text that novaops prints: those of `next` lines, in backticks, in prose."""
    for line in text.replace("\\\n", " ").splitlines():
        exact = line.startswith("next  ")
        for start in START.finditer(line):
            yield Printed(tuple(words(line[start.start() :])), exact or line[: start.start()].endswith("`"))


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
    if command.exact:
        return refusal(command.words[1:])
    # Prose follows: the longest beginning that novaops takes is the command, and it has all options.
    options = [i for i, word in enumerate(command.words) if re.match(r"--?[a-z]", word)]
    first = None
    for end in range(len(command.words), max([1, *options]), -1):
        refused = refusal(command.words[1:end])
        if refused is None:
            return None
        first = refused
    return first


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
