"""Where output goes: consoles that respect the terminal, and text that cannot upset it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

# What a terminal acts on instead of showing it: C0 and C1 controls, and the marks that turn the
# direction of text or break lines (Unicode Bidi_Control, Zl, Zp); lone surrogates cannot be encoded.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text on one line, with everything that a terminal would act on written as an escape."""
    return UNSAFE.sub(lambda match: _escape(match[0]), text)


def visible_lines(text: str) -> list[str]:
    """The lines of a text, each made visible; tabs become spaces."""
    return [visible(line.expandtabs(4)) for line in text.split("\n")]


class _Console(Console):
    """A console that leaves a broken pipe to the command."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(stderr: bool = False) -> Console:
    """A console that never wraps or rewrites what it is given; without colour where none is wanted."""
    stream = sys.stderr if stderr else sys.stdout
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return _Console(
        file=stream,
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def write_lines(lines: Iterable[Text], stderr: bool = False) -> None:
    """Print lines of styled text."""
    to = console(stderr)
    for line in lines:
        to.print(line)


def write_data(text: str) -> None:
    """Write text for programs to stdout, byte for byte; only a terminal gets it made visible."""
    if sys.stdout.isatty():
        text = "\n".join(visible(line.replace("\t", "    ")) for line in text.split("\n"))
    sys.stdout.flush()
    data = memoryview(text.encode())
    while data:  # unbuffered (PYTHONUNBUFFERED), a write may be cut short
        data = data[sys.stdout.buffer.write(data) :]
    sys.stdout.buffer.flush()


def plain(lines: Iterable[Text]) -> str:
    """The lines without their styles."""
    return "".join(f"{line.plain}\n" for line in lines)


def _escape(character: str) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
    code = ord(character)
    return named.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
