"""Parked tables for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from novaops.execution.parked import BroughtBack, ParkedTable
from novaops.output.json import dumps
from novaops.output.terminal import visible, write_data, write_lines
from novaops.output.tree import counted


def write_parked(tables: Sequence[ParkedTable], form: str) -> None:
    """List them with the day until which they are kept."""
    if form == "json":
        write_data(dumps({"format_version": 1, "parked": [asdict(table) for table in tables]}))
        return
    width = max((len(visible(t.origin)) for t in tables), default=0)
    lines = [
        Text(
            f"{visible(t.origin):{width}}  parked {t.parked_at:%Y-%m-%d}  "
            + (f"expired {t.until:%Y-%m-%d}" if t.expired else f"kept until {t.until:%Y-%m-%d}")
            + f"  novaops_parked.{visible(t.name)}"
        )
        for t in tables
    ]
    write_lines(lines or [Text("nothing is parked")])


def write_brought_back(found: BroughtBack, form: str) -> None:
    """Say that the table is back, and what of it is not."""
    if form == "json":
        write_data(dumps({"format_version": 1, "brought_back": asdict(found)}))
        return
    lines = [Text.assemble(("✓ ", "green"), f"{visible(found.table.origin)} is back with its rows")]
    if found.failed:
        lines.append(Text(f"! {counted(len(found.failed), 'statement')} could not be repeated:", "bold red"))
        lines += [Text(f"    {visible(text)}") for text in found.failed]
    lines.append(Text("declare it in the files, or the next plan drops it again", "dim"))
    write_lines(lines)


def write_dropped(tables: Sequence[ParkedTable], form: str) -> None:
    """Say which are gone now."""
    if form == "json":
        write_data(dumps({"format_version": 1, "dropped": [asdict(table) for table in tables]}))
        return
    write_lines([Text(f"- {visible(t.origin)}, parked {t.parked_at:%Y-%m-%d}") for t in tables])
