"""Progress where there is no terminal: silence, unless something takes long."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from novaops.output import progress
from novaops.output.progress import Progress
from novaops.output.status_line import StatusLine


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


def test_how_far_a_step_is_is_said_along_with_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    with Progress() as reporter:
        reporter.step(9, 9, "CREATE INDEX CONCURRENTLY i ON t (a)")
        reporter.progress("building index: scanning table", 0.61)
        time.sleep(0.2)
    assert capsys.readouterr().err == (
        "9/9  CREATE INDEX CONCURRENTLY i ON t (a) building index: scanning table 61% …\n"
    )


def drawn(line: StatusLine, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(line, end="")
    return out.getvalue().rstrip("\n")


def test_the_line_has_a_bar_and_the_time_that_is_left() -> None:
    now = [0.0]
    line = StatusLine("1/1  CREATE INDEX", clock=lambda: now[0])
    line.advance("loading", 0.0)
    now[0] = 30.0
    line.advance("loading", 0.25)
    assert drawn(line) == f"1/1  CREATE INDEX   loading  {'━' * 16} 25%  ETA 1 min"
    line.advance("validating", 0.5)  # nothing is known about the speed of this one
    assert drawn(line) == f"1/1  CREATE INDEX   validating  {'━' * 16} 50%"
    line.advance("waiting", None)
    assert drawn(line) == "1/1  CREATE INDEX   waiting"


def test_the_line_tells_the_time_of_what_takes_long_and_fits_the_terminal() -> None:
    now = [0.0]
    line = StatusLine("1/1  ALTER TABLE a_table_with_a_name VALIDATE CONSTRAINT c", clock=lambda: now[0])
    assert drawn(line) == "1/1  ALTER TABLE a_table_with_a_name VALIDATE CONSTRAINT c"
    now[0] = 7.0
    assert drawn(line, width=40) == "1/1  ALTER TABLE a_table_with_…   7 s"
