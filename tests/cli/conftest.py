"""The command, run as people run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
def novaops(tmp_path: Path, environment: dict[str, str]) -> Novaops:
    """`novaops("plan", "--check", NO_COLOR="1")` in a folder of its own, without a terminal."""

    def run(*arguments: str | Path, input: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "novaops", *map(str, arguments)],
            input=input, capture_output=True, text=True, cwd=tmp_path, env={**environment, **variables}, timeout=60,
        )  # fmt: skip

    return run
