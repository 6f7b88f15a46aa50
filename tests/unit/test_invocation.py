"""Command lines that are printed: what they repeat of a call, and how a shell reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest

from novaops.invocation import GivenOption, command_line, repeating


def given(*words: str) -> GivenOption:
    return GivenOption((words[0],), words)


CALL = [
    given("--url", "postgresql://h/d"),
    given("--table", "a"),
    given("--table", "b"),
    given("--allow", "x:y"),
]


def repeat(command: str, arguments: Sequence[str]) -> Sequence[GivenOption]:
    return CALL


def test_without_a_call_a_line_is_what_its_writer_puts_in() -> None:
    assert command_line("apply") == "novaops apply"
    assert command_line("replicate compare", "--repair") == "novaops replicate compare --repair"


def test_options_of_the_call_are_repeated() -> None:
    with repeating(repeat):
        line = command_line("apply", "--yes", arguments=["plan.json"])
    assert line == ("novaops apply plan.json --url postgresql://h/d --table a --table b --allow x:y --yes")
    assert command_line("apply") == "novaops apply"


def test_an_option_of_the_writer_replaces_that_of_the_call_and_consents_add_up() -> None:
    with repeating(repeat):
        line = command_line("replicate", "--table", "c", "--allow", "x:y", "--allow", "x:z")
    assert line == "novaops replicate --url postgresql://h/d --table c --allow x:y --allow x:z"


PRINTABLE = ["two words", "it's", '"q"', "$HOME", "`id`", "a\\b", "-dash", "--yes", "", "ü", "*", "!x"]
UNPRINTABLE = ["line\nbreak", "\x1b[1m", "\\'\n"]  # dash does not know $'…'


@pytest.mark.parametrize(
    ("shell", "word"),
    [*(("sh", word) for word in PRINTABLE), *(("bash", word) for word in (*PRINTABLE, *UNPRINTABLE))],
)
def test_a_shell_reads_the_words_as_they_were(shell: str, word: str) -> None:
    line = command_line("unpark", "--database", word, arguments=[word])
    assert line.isprintable()
    program = f"novaops() {{ printf '%s\\0' \"$@\"; }}; {line}"
    out = subprocess.run([shell, "-c", program], capture_output=True, check=True).stdout.decode()
    words = (
        ["unpark", "--database", word, "--", word]
        if word.startswith("-")
        else ["unpark", word, "--database", word]
    )
    assert out.split("\0")[:-1] == words
