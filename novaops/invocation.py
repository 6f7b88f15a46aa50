"""The command lines that novaops prints: a `next` line, a hint, a remedy.

Such a line is pasted into the shell that this call was typed in, so it repeats the options that say which
server, files and schemas this call is about. The command line of novaops says which those are (`repeating`);
without one, for a caller of the library, a line holds only what its writer puts into it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

ADDED_UP = "--allow"
"""The option of which a line needs all values: those of this call, and those that its writer adds."""


@dataclass(frozen=True, slots=True)
class GivenOption:
    """An option of this call: its spellings, and the words that give it again."""

    names: tuple[str, ...]
    words: tuple[str, ...]


Repeat = Callable[[str, Sequence[str]], Sequence[GivenOption]]
"""The options of this call to repeat for a command ("replicate compare") and its arguments."""


def _nothing(*_: object) -> Sequence[GivenOption]:
    return ()


_repeat: ContextVar[Repeat] = ContextVar("repeat", default=_nothing)


@contextmanager
def repeating(repeat: Repeat) -> Iterator[None]:
    """Let `command_line` repeat the options of the present call."""
    token = _repeat.set(repeat)
    try:
        yield
    finally:
        _repeat.reset(token)


def command_line(
    command: str, *options: str, arguments: Sequence[str] = (), without: Collection[str] = ()
) -> str:
    """Return the line that runs a command of novaops from the shell of this call, quoted for it.

    `command_line("replicate compare", "--repair", "--to", name)` is `novaops replicate compare --url … --repair
    --to NAME` after a call with `--url`. Of the options of this call it repeats those that the command has, too. An
    option in `options` replaces the one of this call; `--allow` joins it. Options of this call that are named in
    `without` are left out. No password is in the line.
    """
    repeated = _repeat.get()(command, arguments)
    kept = [g for g in repeated if not _replaced(g, options) and set(g.names).isdisjoint(without)]
    words = ["novaops", *command.split(), *(word for given in kept for word in given.words), *options]
    if any(argument.startswith("-") for argument in arguments):
        words += ["--", *arguments]
    else:
        at = 1 + len(command.split())
        words[at:at] = arguments
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """The word as a shell reads it; what cannot be printed in the form $'…' (bash, zsh, POSIX.1-2024)."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(character: str) -> str:
    if character.isprintable():
        return f"\\{character}" if character in "\\'" else character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def _replaced(given: GivenOption, options: Sequence[str]) -> bool:
    if ADDED_UP in given.names:
        return given.words[-1] in options
    return any(name in options for name in given.names)
