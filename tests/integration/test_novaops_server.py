"""A forked command does what the command line does: the same output and exit code, in its caller's folder."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.novaops_server import ROOT, forked_novaops


@pytest.fixture(scope="module")
def forked() -> Iterator[list[str]]:
    with forked_novaops() as command:
        yield shlex.split(command)


def run(command: list[str], *arguments: str, folder: Path) -> tuple[int, str, str]:
    environment = {**os.environ, "NOVAOPS_SAFE_BELOW": "7 MB", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [("--version",), ("plan", "--nonsense"), ("config", "explain")])
def test_like_the_command_line(forked: list[str], arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "novaops.toml").write_text('[schema]\nfile = "elsewhere.sql"\n')
    real = [sys.executable, "-m", "novaops"]
    assert run(forked, *arguments, folder=tmp_path) == run(real, *arguments, folder=tmp_path)


def test_a_client_that_is_killed_takes_its_run_along(forked: list[str], tmp_path: Path) -> None:
    slow = tmp_path / "novaops.toml"
    os.mkfifo(slow)
    # Nothing is written to the file, so that the run waits for its end.
    command = [*forked, "config", "explain"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as client, slow.open("w"):
        client.kill()
        client.wait()
        assert client.stdout is not None
        assert client.stdout.read() == b""  # the end of it: the run that could write to it is gone
