"""What `novaops alias` prints: what was done to the files, logins, the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from novaops.invocation import command_line
from novaops.output.json import dumps
from novaops.output.terminal import console, visible, visible_lines, write_data, write_lines
from novaops.output.tree import HAZARD, counted
from novaops.pgbouncer.budget import Budget
from novaops.pgbouncer.changes import FileChange
from novaops.pgbouncer.groundwork import Outcome
from novaops.pgbouncer.inventory import Alias, Inventory
from novaops.pgbouncer.probe import Probe

STYLES = {"+": "green", "~": "yellow", "-": "red"}
DONE = ("✓ ", "green")


def write_outcome(outcome: Outcome, form: str) -> None:
    """What a command has done, with what proves it."""
    if form == "json":
        write_data(dumps(outcome_value(outcome)))
    else:
        write_lines(outcome_lines(outcome, console().width))


def outcome_lines(outcome: Outcome, width: int) -> list[Text]:
    """The same as text."""
    applied, alias = outcome.applied, outcome.alias
    lines: list[Text] = []
    if alias is not None:
        lines.append(_headline(alias, outcome.declared))
    lines += _changes(applied.changes, width)
    if outcome.nothing_to_do:
        if applied.served is None:
            said = "files are as novaops.toml declares"
        else:
            served = counted(applied.served, "database")
            said = f"files and pooler are as novaops.toml declares, {served} served as written"
        lines.append(Text(f"nothing to do: {said}", "green"))
    else:
        lines += _proofs(outcome)
    lines += [probe_line(p) for p in outcome.probes]
    if outcome.budget is not None:
        lines.append(budget_line(outcome.budget))
    lines += [Text(f"restart  {visible(r)}", "yellow") for r in applied.restarts]
    notes = (*([outcome.warning] if outcome.warning else []), *applied.notes)
    lines += [Text(f"note     {visible(n)}", "yellow") for n in notes]
    if applied.dry_run:
        lines.append(Text("dry run: nothing was changed"))
    return lines


def _headline(alias: Alias, declared: str) -> Text:
    what = f"   user {visible(alias.user)}, {alias.pool_mode} pooling, pool {alias.pool_size}"
    gone = "   removed" if declared == "removed" else ""
    return Text.assemble((visible(str(alias)), "bold"), gone or what)


def _changes(changes: Sequence[FileChange], width: int) -> Iterator[Text]:
    """The files, with the lines that differ: beside the name where there is one and it fits, else below."""
    by_file: dict[str, list[FileChange]] = {}
    for change in changes:
        by_file.setdefault(change.file, []).append(change)
    for file, lines in by_file.items():
        place = f"  ~ {visible(file)}"
        texts = [(f"{c.operation} {visible(c.text)}", STYLES[c.operation]) for c in lines]
        if len(texts) == 1 and cell_len(place) + 4 + cell_len(texts[0][0]) <= width:
            yield Text.assemble(place, "    ", texts[0])
        else:
            yield Text(place)
            yield from (Text.assemble("      ", text) for text in texts)


def _proofs(outcome: Outcome) -> Iterator[Text]:
    applied = outcome.applied
    said = []
    if applied.validated:
        said.append(f"validated by {applied.validated}")
    if applied.backups:
        said.append("backup kept")
    if applied.enabled:
        said.append(f"{', '.join(applied.enabled)} enabled")
    if applied.reloaded:
        said.append(applied.reloaded)
    if applied.served is not None:
        said.append(f"{counted(applied.served, 'database')} served, as written")
    if said:
        yield Text.assemble(" ", DONE, visible(" · ".join(said)))


def probe_line(probe: Probe) -> Text:
    """A login in one line."""
    if probe.skipped:
        hint = command_line("alias test", "--password-stdin", arguments=[probe.alias])
        return Text.assemble((" ? ", "yellow"), visible(f"no login was tried: {probe.skipped} ({hint})"))
    if probe.error is not None:
        return Text.assemble((" ✗ ", HAZARD), visible(f"{probe.alias} as {probe.user}: {probe.error}"))
    shown = [f.text for f in probe.findings if f.what in ("database", "notify") or f.good is not True]
    style, mark = ("green", " ✓ ") if probe.good else (HAZARD, " ✗ ")
    return Text.assemble((mark, style), visible(f"logged in as {probe.user}: {', '.join(shown)}"))


def budget_line(budget: Budget) -> Text:
    """Connections at worst, and whether the server has them."""
    open_ended = " and any number by the entry *" if budget.open_ended else ""
    reserved = budget.maximum - budget.available
    text = f"connections: worst case {budget.worst}{open_ended} of {budget.maximum} ({reserved} reserved)"
    if budget.exceeded:
        return Text(f"{text}: more than the server has", HAZARD)
    return Text(text)


# -- logins ---------------------------------------------------------------------------------


def write_probes(probes: Sequence[Probe], form: str) -> None:
    """All that a login through each alias has shown."""
    if form == "json":
        write_data(dumps({"format_version": 1, "tests": [probe_value(p) for p in probes]}))
        return
    lines: list[Text] = []
    for probe in probes:
        lines.append(Text(f"{visible(probe.alias)} as {visible(probe.user)}", "bold"))
        if not probe.findings:
            lines.append(probe_line(probe))
        for found in probe.findings:
            mark = {True: ("✓", "green"), False: ("✗", HAZARD), None: ("?", "yellow")}[found.good]
            lines.append(Text.assemble(" ", mark, f" {visible(found.text)}"))
    write_lines(lines or [Text("no aliases")])


def probe_value(probe: Probe) -> dict[str, Any]:
    return {**asdict(probe), "good": probe.good}


# -- the inventory --------------------------------------------------------------------------


def write_inventory(inventory: Inventory, form: str) -> None:
    """A line for each alias."""
    if form == "json":
        write_data(dumps({"format_version": 1, "aliases": [alias_value(a) for a in inventory.aliases]}))
    elif form == "markdown":
        write_data(markdown_table(inventory))
    else:
        write_lines(_table(inventory))


def alias_value(alias: Alias) -> dict[str, Any]:
    return {
        "name": alias.name,
        "user": alias.user,
        "target": asdict(alias.target),
        "pool_mode": alias.pool_mode,
        "pool_size": alias.pool_size,
        "rationale": alias.rationale,
    }


def markdown_table(inventory: Inventory) -> str:
    """The table for a document: database, target, agent, rationale."""
    rows = [("Database name", "Target", "Agent", "Pooling", "Rationale")]
    rows += [
        (
            _code(a.name), _code(a.target.database), _cell(a.user), f"{a.pool_mode}, {a.pool_size}", _cell(a.rationale)
        )
        for a in inventory.aliases
    ]  # fmt: skip
    widths = [max(cell_len(row[i]) for row in rows) for i in range(5)]
    lines = [
        "| " + " | ".join(_padded(c, w) for c, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines) + "\n"


def _table(inventory: Inventory) -> list[Text]:
    if not inventory.aliases:
        return [
            Text(
                f"{inventory.path.name} declares no alias; {command_line('alias add', arguments=['AGENT'])} makes one"
            )
        ]
    rows = [
        (
            visible(a.name),
            visible(str(a.target)),
            visible(a.user),
            f"{a.pool_mode} {a.pool_size}",
            visible(a.rationale),
        )
        for a in inventory.aliases
    ]
    rows.insert(0, ("ALIAS", "TARGET", "USER", "POOL", "RATIONALE"))
    widths = [max(cell_len(row[i]) for row in rows) for i in range(4)]
    return [
        Text(
            "  ".join([*(_padded(c, w) for c, w in zip(row[:4], widths, strict=True)), row[4]]).rstrip(),
            style,
        )
        for row, style in zip(rows, ["bold", *[""] * len(rows)], strict=False)
    ]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _cell(text: str) -> str:
    """Text in a cell of a table of markdown: one line, and no character of it divides cells."""
    return " ".join(visible_lines(text)).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{visible(text)}{space}{fence}".replace("|", "\\|")


# -- JSON -------------------------------------------------------------------------------------


def outcome_value(outcome: Outcome) -> dict[str, Any]:
    """The outcome for programs; no secret is in it."""
    applied = outcome.applied
    return {
        "format_version": 1,
        "alias": alias_value(outcome.alias) if outcome.alias else None,
        "declared": outcome.declared,
        "changes": [asdict(c) for c in applied.changes],
        "validated": applied.validated,
        "backups": applied.backups,
        "reloaded": applied.reloaded,
        "enabled": applied.enabled,
        "served": applied.served,
        "restarts": applied.restarts,
        "tests": [probe_value(p) for p in outcome.probes],
        "budget": None if outcome.budget is None else asdict(outcome.budget),
        "notes": applied.notes,
        "warning": outcome.warning,
        "dry_run": applied.dry_run,
    }
