"""What `novaops replicate triggers` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from novaops.output.json import dumps
from novaops.output.replication import finding_lines, finding_value
from novaops.output.terminal import visible, write_data, write_lines
from novaops.replication.trigger_modes import Report

HEAD = ("schema", "table", "trigger", "mode", "on this side")


def write_triggers(reports: Sequence[Report], form: str) -> None:
    """A table of the triggers on each target, and what is not as declared."""
    if form == "json":
        write_data(dumps({"format_version": 1, "replications": [_value(report) for report in reports]}))
        return
    lines: list[Text] = []
    for report in reports:
        if lines:
            lines.append(Text())
        lines += [Text(f"{visible(str(report.replication))}", "bold"), *_table(report)]
        lines += finding_lines(report.findings)
    write_lines(lines)


def _table(report: Report) -> list[Text]:
    rows = [
        tuple(
            map(
                visible, (s.trigger.schema, s.trigger.table, s.trigger.name, s.trigger.mode.upper(), s.effect)
            )
        )
        for s in report.standings
    ]
    if not rows:
        return [Text("no triggers")]
    widths = [max(len(row[column]) for row in (HEAD, *rows)) for column in range(len(HEAD) - 1)]

    def line(row: Sequence[str]) -> str:
        return (
            " "
            + " | ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False))
            + f" | {row[-1]}"
        )

    rule = "-" + "-+-".join("-" * width for width in widths) + "-+-" + "-" * len(HEAD[-1])
    styles = ["" if s.as_declared else "yellow" for s in report.standings]
    return [
        Text(line(HEAD)),
        Text(rule),
        *(Text(line(row), style) for row, style in zip(rows, styles, strict=True)),
    ]


def _value(report: Report) -> dict[str, object]:
    return {
        "name": report.replication.name,
        "target": str(report.replication.target),
        "triggers": [
            {
                "schema": s.trigger.schema,
                "table": s.trigger.table,
                "replicated_table": f"{s.trigger.root_schema}.{s.trigger.root}",
                "trigger": s.trigger.name,
                "mode": s.trigger.mode,
                "declared": s.declared,
                "effect": s.effect,
                "function": s.trigger.function,
            }
            for s in report.standings
        ],
        "findings": [finding_value(finding) for finding in report.findings],
    }
