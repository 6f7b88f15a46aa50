"""What `novaops migrations` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from novaops.execution.pre_migrations.adopt import Adoption
from novaops.execution.pre_migrations.standing import Standing, notices
from novaops.output.errors import diagnostic_lines
from novaops.output.json import dumps
from novaops.output.pre_migrations import pre_migration_lines
from novaops.output.terminal import console, visible, write_data, write_lines
from novaops.output.text import next_line
from novaops.output.tree import HAZARD, counted
from novaops.project.pre_migrations.migrations import Pending, Ran

WRONG = frozenset({"edited", "interrupted"})


def write_standings(found: Sequence[Standing], form: str) -> None:
    """A line for each file: its name, its state, when it ran and who ran it."""
    if form == "json":
        write_data(dumps({"format_version": 1, "migrations": [_value(s) for s in found]}))
        return
    if not found:
        write_lines([Text("no pre-migrations")])
        return
    width = max(len(visible(s.name)) for s in found)
    lines = [
        Text.assemble(f"{visible(s.name):{width}}  ", _state(s), f"  {_when(s)}".rstrip()) for s in found
    ]
    write_lines([*lines, *(Text(f"note     {visible(n)}", "yellow") for n in notices(found))])


def write_pending(pending: Pending, form: str) -> None:
    """Print what would run, at what risk, what the copy showed, and the command that runs it."""
    if form == "json":
        write_data(dumps(_pending(pending)))
        return
    if not pending.files:
        write_lines([Text("no pre-migration is pending")])
    lines = pre_migration_lines(pending.files)
    lines += [Text(f"note     {visible(n)}", "yellow") for n in (*pending.notices, *pending.left_out)]
    if pending.post:
        lines.append(Text(f"waiting for novaops apply: {', '.join(visible(f.name) for f in pending.post)}"))
    if pending.failed is not None:
        lines += diagnostic_lines(pending.failed, console().width)
    elif pending.error is not None:
        lines.append(Text(f"could not be run on a copy: {visible(pending.error)}", HAZARD))
    elif pending.rehearsed:
        lines.append(Text("✓ ran on a copy of the schema, which holds no rows", "green"))
    consents = list(dict.fromkeys(h.consent for h in pending.blocked))
    lines += [Text(f"blocked  {visible(each)}", HAZARD) for each in consents]
    if consents:
        allow = [word for each in consents for word in ("--allow", each)]
        lines.append(next_line("migrations run", *allow))
    write_lines(lines)


def write_run(pending: Pending, ran: Ran, form: str) -> None:
    """What has run."""
    if form == "json":
        write_data(dumps({**_pending(pending), "ran": ran.files, "recorded_as_not_needed": ran.not_needed}))
    lines = [Text.assemble(("✓ ", "green"), f"{visible(name)} ran") for name in ran.files]
    lines += [
        Text.assemble(
            ("✓ ", "green"), f"{visible(name)} is not needed in a fresh database: recorded, not run"
        )
        for name in ran.not_needed
    ]
    write_lines(lines, stderr=True)


def write_adoption(adoption: Adoption, form: str) -> None:
    """What adopting records, or has recorded."""
    names = [m.name for m in adoption.files]
    if form == "json":
        value = {
            "source": adoption.source,
            "files": names,
            "left": adoption.left,
            "without_file": adoption.without_file,
        }
        write_data(dumps({"format_version": 1, "adoption": value}))
        return
    source = f"by {adoption.source}" if adoption.source else "all files that are pending"
    lines = [Text(f"{counted(len(names), 'file')} to record as having run ({visible(source)})", "bold")]
    lines += [Text(f"  {visible(name)}") for name in names]
    for what, others in (("stay pending", adoption.left), ("have no file here", adoption.without_file)):
        if others:
            lines.append(Text(f"{what}: {', '.join(map(visible, others))}", "yellow"))
    write_lines(lines)


def write_accepted(before: Standing, form: str) -> None:
    """What was accepted."""
    if form == "json":
        write_data(
            dumps({"format_version": 1, "accepted": {**_value(before), "state_before": before.state.value}})
        )
    write_lines([Text.assemble(("✓ ", "green"), f"{visible(before.name)} counts as done")], stderr=True)


def _pending(pending: Pending) -> dict[str, object]:
    failed = pending.failed
    return {
        "format_version": 1,
        "pre_migrations": [asdict(f) for f in (*pending.files, *pending.post)],
        "blocked": [{**asdict(h), "consent": h.consent} for h in pending.blocked],
        "notices": pending.notices,
        "rehearsal": {
            "rehearsed": pending.rehearsed,
            "left_out": pending.left_out,
            "error": pending.error if failed is None else f"{failed.source}: {failed.message}",
        },
    }


def _value(standing: Standing) -> dict[str, object]:
    migration, entry = standing.migration, standing.entry
    return {
        "name": standing.name,
        "phase": standing.phase,
        "state": standing.state.value,
        "checksum": migration.checksum if migration else None,
        "recorded_checksum": entry.checksum if entry else None,
        "started_at": entry.started_at.isoformat() if entry else None,
        "finished_at": entry.finished_at.isoformat() if entry and entry.finished_at else None,
        "applied_by": entry.applied_by if entry else None,
    }


def _state(standing: Standing) -> tuple[str, str]:
    state = standing.state.value
    return f"{state:11}", HAZARD if state in WRONG else "green" if state == "applied" else ""


def _when(standing: Standing) -> str:
    entry = standing.entry
    if entry is None:
        return ""
    at = entry.finished_at or entry.started_at
    return f"{at:%Y-%m-%d %H:%M} by {visible(entry.applied_by)}"
