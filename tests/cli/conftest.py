"""The command, run as people run it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.printed_commands import Printed, printed, reports, shape, without_effect

PATIENCE = 120
"""Seconds that a call may take."""
SEEN: set[tuple[object, ...]] = set()
"""Calls, and commands that they printed, that a test of this process has run."""
Novaops = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is configured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "NOVAOPS_"))}
    for name in ("DATABASE_URL", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        kept.pop(name, None)
    return {**kept, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


@pytest.fixture
def novaops(tmp_path: Path, environment: dict[str, str], printed_texts: list[tuple[str, str]]) -> Novaops:
    """`novaops("plan", "--check", NO_COLOR="1")` in a folder of its own, without a terminal.

    The commands that it prints are run as well, right then and in the same place, as far as they change nothing.
    """

    def process(*arguments: str, input: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "novaops", *arguments],
            input=input, capture_output=True, text=True, cwd=tmp_path, env={**environment, **variables}, timeout=PATIENCE,
        )  # fmt: skip

    def run(*arguments: str | Path, input: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        call = [*map(str, arguments)]
        result = process(*call, input=input, **variables)
        # A script of completion is code for a shell, and nothing to paste.
        for text in () if call[:1] == ["completion"] else (result.stdout, result.stderr):
            printed_texts.append((f"printed by novaops {shlex.join(call)}", text))
            for command in printed(text):
                situation = (*shape(call), result.returncode, *shape(command.words), command.role)
                if command.role != "said" and situation not in SEEN:
                    SEEN.add(situation)
                    check_runs(command, call, variables)
        return result

    def check_runs(command: Printed, call: list[str], variables: dict[str, str]) -> None:
        words = without_effect(command)
        if words is None:
            return
        result = process(*words, **variables)
        said = result.stdout + result.stderr
        ways = [one for one in printed(said) if one.role != "said" and one.words != command.words]
        good = {0, 3} if command.role == "next" else {0, 1, 3, 4, 5}
        good |= {1} if reports(command) else set()  # what it finds
        good |= (
            {1} if "on a copy of the schema, which holds no rows" in said else set()
        )  # what only rows can tell
        good |= {4} if any(one.role == "next" for one in ways) else set()  # it asks for more, and leads on
        assert result.returncode in good, (
            f"novaops {shlex.join(call)} printed {command}, and it exits with {result.returncode}:\n{said}"
        )
        back = [one for one in ways if shape(one.words[1:]) == shape(call)]
        assert result.returncode in {0, 3} or reports(command) or not back, (
            f"novaops {shlex.join(call)} and {command} name each other as the way out:\n{said}"
        )

    return run
