"""The journal of a database: its runs as a table, and one run with its statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from novaops.execution.history import RecordedStatement, Run
from novaops.execution.interrupted import Lost
from novaops.invocation import command_line
from novaops.output.json import dumps
from novaops.output.terminal import visible, visible_lines, write_data, write_lines
from novaops.output.tree import counted
from novaops.planning.missing import outermost

FORMAT_VERSION = 1
STYLES = {"converged": "green", "applied": "green", "failed": "bold red", "differs": "bold red"}
UNFINISHED = "unfinished"
"""A run without an outcome goes on at this moment, or was killed."""
MARKS = {"done": ("✓", "green"), "started": ("?", "yellow"), "pending": ("·", "dim")}


def write_history(runs: Sequence[Run], lost: Sequence[Lost], database: str, form: str) -> None:
    """Print all runs, a line each, what is missing since one was interrupted, and the command that restores it."""
    if form == "json":
        told = {"runs": [_value(run) for run in runs], "missing": list(map(asdict, lost))}
        write_data(dumps({"format_version": FORMAT_VERSION, **told}))
    elif runs:
        write_lines([*table(runs), *_lost(lost)])
    else:
        write_lines([Text(f"No run of novaops apply is recorded in {visible(database)}.")])


def write_run(run: Run, statements: Sequence[RecordedStatement], lost: Sequence[Lost], form: str) -> None:
    """Print one run, what is missing since it was interrupted, and the command that restores it."""
    own = [each for each in lost if each.run == run.run]
    if form == "json":
        told = [{"sql": s.sql, **_statement(s)} for s in statements]
        value = {"run": _value(run), "statements": told, "missing": list(map(asdict, own))}
        write_data(dumps({"format_version": FORMAT_VERSION, **value}))
    else:
        lines = (line for s in statements for line in _lines(s, run.statements))
        write_lines([*_about(run), Text(), *lines, *_lost(own)])


def table(runs: Sequence[Run]) -> list[Text]:
    """The runs in columns; numbers are flush right."""
    rows = [("run", "begun", "role", "by", "outcome", "statements", "seconds")]
    rows += [
        (
            str(run.run),
            _when(run.started),
            visible(run.role),
            visible(run.client),
            run.outcome or UNFINISHED,
            f"{run.done} of {run.statements}",
            "" if run.seconds is None else f"{run.seconds:.1f}",
        )
        for run in runs
    ]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    right = {0, 5, 6}
    lines = []
    for index, row in enumerate(rows):
        line = Text()
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            style = "bold" if index == 0 else STYLES.get(cell, "yellow") if number == 4 else ""
            line.append("  " if number else "")
            line.append(space + cell if number in right else cell + space, style)
        line.rstrip()
        lines.append(line)
    return lines


def _lost(lost: Sequence[Lost]) -> list[Text]:
    shown = {m.name for m in outermost([each.missing for each in lost])}
    lines = [
        Text(visible(f"missing since history {each.run}  {each.missing.line}"), "bold red")
        for each in lost
        if each.missing.name in shown
    ]
    return [Text(), *lines, Text(visible(f"restore  {command_line('apply')}"))] if lines else []


def _about(run: Run) -> list[Text]:
    outcome = run.outcome or UNFINISHED
    took = "" if run.seconds is None else f" in {run.seconds:.1f} s"
    lines = [
        Text.assemble(
            (f"history {run.run}  ", "bold"),
            (outcome, STYLES.get(outcome, "yellow")),
            f" · {run.done} of {counted(run.statements, 'statement')}{took}",
        ),
        Text(visible(f"begun {_when(run.started)} by {run.role} ({run.client}), novaops {run.novaops}")),
        Text(visible(f"files {run.files}")),
    ]
    if run.resumed:
        lines.append(Text(f"gone on with after an interruption: {counted(run.resumed, 'time')}"))
    if run.error:
        lines += [Text(line, "red") for line in visible_lines(run.error)]
    return lines


def _lines(statement: RecordedStatement, total: int) -> list[Text]:
    mark, style = MARKS[statement.state]
    number = f"{statement.number:>{len(str(total))}}"
    where = "outside" if statement.transaction is None else f"tx {statement.transaction}"
    first, *more = visible_lines(f"{statement.sql};")
    head = f"{number}  {where:7}  "
    return [
        Text.assemble((mark, style), f" {head}{first}"),
        *(Text(" " * (len(head) + 2) + line) for line in more),
    ]


def _value(run: Run) -> dict[str, Any]:
    """Without what only serves to go on with a run."""
    value = asdict(run)
    for name in ("plan", "desired", "stamp", "open"):
        del value[name]
    times = {name: _moment(value[name]) for name in ("started", "finished", "last")}
    return {**value, **times, "seconds": run.seconds}


def _statement(statement: RecordedStatement) -> dict[str, Any]:
    return {
        "number": statement.number,
        "transaction": statement.transaction,
        "state": statement.state,
        "finished": _moment(statement.finished),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
