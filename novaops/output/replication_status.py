"""How replications are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from novaops.output.json import dumps
from novaops.output.replication import finding_lines, finding_value
from novaops.output.terminal import visible, write_data, write_lines
from novaops.replication.status import Status
from novaops.sizes import format_size


def write_statuses(seen: Sequence[Status], form: str, *, watching: bool = False) -> None:
    """A block for each; as JSON, one line for each look while watching."""
    if form == "json":
        now = datetime.now(UTC).isoformat()
        value = {"format_version": 1, "at": now, "replications": [_value(each) for each in seen]}
        write_data(f"{json.dumps(value)}\n" if watching else dumps(value))
        return
    if watching:
        write_lines([Text(f"{datetime.now().astimezone():%H:%M:%S}", "dim")])
    write_lines(line for each in seen for line in status_lines(each))


def status_lines(status: Status) -> Iterator[Text]:
    """Name and verdict, lag, tables, and what was found."""
    wrong = [finding for finding in status.findings if finding.severity != "note"]
    verdict = ("healthy", "green") if not wrong else (_counted(wrong), "bold red")
    yield Text.assemble((visible(str(status.replication)), "bold"), "   ", verdict)
    if status.state is not None:
        yield Text(f"   {_lag(status)} · {_worker(status)} · {_tables(status)}")
    yield from finding_lines(status.findings)


def _counted(findings: Sequence[object]) -> str:
    return "1 finding" if len(findings) == 1 else f"{len(findings)} findings"


def _lag(status: Status) -> str:
    state = status.state
    if state is None or state.lag_bytes is None:
        return "lag unknown"
    seconds = "" if state.lag_seconds is None else f", {state.lag_seconds:.1f} s"
    return f"lag {format_size(state.lag_bytes)}{seconds}"


def _worker(status: Status) -> str:
    found = status.state.subscription if status.state else None
    if found is None:
        return "no subscription"
    worker = found.apply_worker
    return "disabled" if not found.enabled else f"worker pid {worker.pid}" if worker else "no worker"


def _tables(status: Status) -> str:
    found = status.state.subscription if status.state else None
    relations = found.relations if found else ()
    ready = sum(relation.state == "r" for relation in relations)
    return f"{ready} of {len(relations)} tables ready"


def _value(status: Status) -> dict[str, Any]:
    replication, state = status.replication, status.state
    found = state.subscription if state else None
    slot = state.slot if state else None
    return {
        "name": replication.name,
        "source": str(replication.source),
        "target": str(replication.target),
        "healthy": status.healthy,
        "publication": replication.publication,
        "slot": replication.slot,
        "slot_status": slot.wal_status if slot else None,
        "retained_bytes": slot.retained if slot else None,
        "subscription": replication.subscription,
        "enabled": found.enabled if found else None,
        "worker": found.apply_worker.pid if found and found.apply_worker else None,
        "apply_errors": found.apply_errors if found else None,
        "sync_errors": found.sync_errors if found else None,
        "tables": [
            {"schema": r.schema, "name": r.name, "state": r.state} for r in (found.relations if found else ())
        ],
        "lag_bytes": state.lag_bytes if state else None,
        "lag_seconds": state.lag_seconds if state else None,
        "findings": [finding_value(finding) for finding in status.findings],
    }
