"""Progress where there is no terminal: silence, unless something takes long."""

from __future__ import annotations

import time

import pytest

from novaops.output import progress
from novaops.output.progress import Progress


def test_quick_work_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as reporter, reporter.phase("reading nova_memory"):
        pass
    shown = capsys.readouterr()
    assert shown.err == shown.out == ""


def test_slow_work_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    monkeypatch.setattr(progress, "RARELY", 0.01)
    with Progress() as reporter:
        with reporter.phase("applying"):
            time.sleep(0.2)
            reporter.step(2, 9, "CREATE TABLE t (\n    a integer)")
            time.sleep(0.2)
        time.sleep(0.1)
    assert capsys.readouterr().err == "applying …\n2/9  CREATE TABLE t ( …\n"


def test_quick_steps_are_named_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with Progress() as reporter, reporter.phase("applying"):
        for index in range(1, 1001):
            reporter.step(index, 1000, "SELECT 1")
            time.sleep(0.0005)
    said = capsys.readouterr().err.splitlines()
    assert 1 <= len(said) < 100
    assert all(line.endswith("/1000  SELECT 1 …") for line in said)


def test_notes_stay_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as reporter:
        reporter.note("copied 7 rows")
        reporter.waiting("held by \x1b[2Jpid 4711\nSELECT")
    assert capsys.readouterr().err == "copied 7 rows\nheld by \\x1b[2Jpid 4711\\nSELECT\n"


def test_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    with Progress(quiet=True) as reporter, reporter.phase("applying"):
        reporter.note("n")
        reporter.waiting("w")
        time.sleep(0.1)
    assert capsys.readouterr().err == ""
