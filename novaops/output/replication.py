"""What `novaops replicate` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from novaops.output.json import dumps
from novaops.output.terminal import visible, write_data, write_lines
from novaops.output.text import next_line
from novaops.output.tree import HAZARD, counted
from novaops.replication.finding import Finding
from novaops.replication.replicate import Checked
from novaops.replication.set_up import Outcome
from novaops.replication.written import as_toml

STYLES = {"error": HAZARD, "warning": "yellow", "note": "dim"}
SIGNS = {"error": "✗", "warning": "!", "note": "·"}


def write_checked(seen: Sequence[Checked], form: str) -> None:
    """What the pre-flight found, and what a set-up would do."""
    if form == "json":
        write_data(dumps({"format_version": 1, "replications": [_value(each) for each in seen]}))
        return
    write_lines(line for each in seen for line in checked_lines(each))


def write_refused(done: Sequence[tuple[Checked, Outcome]], checked: Checked, form: str) -> None:
    """What was done before something stood in the way, and what that is."""
    if form == "json":
        values = [*(_value(*each) for each in done), _value(checked)]
        write_data(dumps({"format_version": 1, "replications": values}))
        return
    lines = [line for each in done for line in outcome_lines(*each)]
    write_lines(lines)
    write_lines([*checked_lines(checked), Text("nothing was done", HAZARD)], stderr=True)


def write_undeclared(done: Sequence[tuple[Checked, Outcome]]) -> None:
    """Say on stderr what declares the replications that flags alone have set up."""
    for replication in (checked.replication for checked, outcome in done if outcome.done):
        if not replication.in_file:
            text = "novaops.toml does not declare it; with these lines there plan and apply know of it:"
            toml = [Text(f"  {visible(line)}") for line in as_toml(replication).splitlines()]
            write_lines([Text(text), *toml], stderr=True)


def write_outcomes(done: Sequence[tuple[Checked, Outcome]], form: str) -> None:
    """What was set up, and how it was proven."""
    if form == "json":
        write_data(dumps({"format_version": 1, "replications": [_value(*each) for each in done]}))
        return
    write_lines(line for each in done for line in outcome_lines(*each))


def checked_lines(checked: Checked) -> Iterator[Text]:
    """The head line, the findings, and what there is to do."""
    yield _head(checked)
    yield from finding_lines(checked.findings)
    yield _counts(checked)
    if checked.errors:
        return
    if not checked.pending:
        yield Text("as declared; nothing to do", "green")
        return
    yield Text(f"to do    {visible('; '.join(checked.pending))}")
    yield next_line("replicate", *checked.replication.options)


def outcome_lines(checked: Checked, outcome: Outcome) -> Iterator[Text]:
    """One line where nothing was to be done; else the steps and the proof."""
    name = visible(checked.replication.name)
    if not outcome.done and outcome.proof is None:
        sick = [finding for finding in outcome.findings if finding.severity != "note"]
        state = "as declared, healthy; nothing to do" if not sick else "as declared, but not healthy"
        yield Text(f"{name}: {state} ({outcome.seconds:.1f} s)", "green" if not sick else "yellow")
        yield from finding_lines(sick)
        return
    yield _head(checked)
    warnings = [finding for finding in checked.findings if finding.severity == "warning"]
    yield from finding_lines(warnings)
    yield _counts(checked)
    for done in outcome.done:
        yield Text.assemble((" ✓ ", "green"), f"{done.name:12} {visible(done.text)}")
    yield from _proof_lines(outcome)


def finding_lines(findings: Iterable[Finding]) -> Iterator[Text]:
    """A sentence each, with its evidence and the command that mends it; the worst come first."""
    ranked = sorted(findings, key=lambda finding: list(STYLES).index(finding.severity))
    for finding in ranked:
        style = STYLES[finding.severity]
        yield Text.assemble(
            (f" {SIGNS[finding.severity]} ", style), (f"{finding.name}: ", style), visible(finding.message)
        )
        if finding.detail:
            yield Text(f"     {visible(finding.detail)}", "dim")
        if finding.remedy and finding.severity != "note":
            yield Text(f"     → {visible(finding.remedy)}")


def finding_value(finding: Finding) -> dict[str, Any]:
    return asdict(finding)


def _head(checked: Checked) -> Text:
    where = "   same server (the slot is made first)" if checked.same_server else ""
    return Text(f"{visible(str(checked.replication))}{where}", "bold")


def _counts(checked: Checked) -> Text:
    found = checked.findings
    counts = [
        counted(number, severity)
        for severity in STYLES
        if (number := sum(finding.severity == severity for finding in found))
    ]
    tried = (
        f" · a row of {', '.join(map(visible, checked.probe.tried))} tried"
        if checked.probe and checked.probe.tried
        else ""
    )
    sign = (" ✗ ", HAZARD) if checked.errors else (" ✓ ", "green")
    return Text.assemble(
        sign, f"{checked.preflight.checks} checks   {', '.join(counts) or 'nothing found'}{tried}"
    )


def _proof_lines(outcome: Outcome) -> Iterator[Text]:
    proof = outcome.proof
    if proof is None:
        return
    rows = sum(c.source_rows for c in proof.comparisons)
    parts = [f"{counted(rows, 'row')} equal"] if all(c.equal for c in proof.comparisons) else ["rows differ"]
    for sentinel in proof.sentinels:
        if sentinel.heard and sentinel.seconds is not None:
            where = visible(proof.replication.target.database)
            parts.append(f"a row heard at {where} after {sentinel.seconds * 1000:.0f} ms")
    if proof.barrier is not None and proof.barrier.passed:
        parts.append("nothing behind")
    yield Text.assemble((" ✓ ", "green"), f"{'proof':12} {' · '.join(parts)} ({outcome.seconds:.1f} s)")
    yield from finding_lines(finding for finding in proof.findings)


def _value(checked: Checked, outcome: Outcome | None = None) -> dict[str, Any]:
    replication = checked.replication
    value: dict[str, Any] = {
        "name": replication.name,
        "source": str(replication.source),
        "target": str(replication.target),
        "direction": replication.direction,
        "publication": replication.publication,
        "slot": replication.slot,
        "subscription": replication.subscription,
        "same_server": checked.same_server,
        "checks": checked.preflight.checks,
        "findings": [finding_value(finding) for finding in checked.findings],
        "tried": list(checked.probe.tried) if checked.probe else [],
        "pending": list(checked.pending),
    }
    if outcome is not None:
        proof = outcome.proof
        value |= {
            "done": [asdict(done) for done in outcome.done],
            "proven": proof.proven if proof else None,
            "health": [finding_value(finding) for finding in outcome.findings],
            "seconds": outcome.seconds,
        }
    return value
