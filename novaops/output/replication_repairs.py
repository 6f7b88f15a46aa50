"""What mending a replication, or taking it down, has done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from novaops.output.json import dumps
from novaops.output.replication import finding_lines, finding_value
from novaops.output.terminal import visible, write_data, write_lines
from novaops.output.text import next_line
from novaops.replication.declaration import Replication
from novaops.replication.repairs.failed import FailedTransaction
from novaops.replication.repairs.sequences import StaleSequence
from novaops.replication.repairs.skip import Skipped
from novaops.replication.repairs.teardown import TornDown
from novaops.replication.set_up import Outcome

CHECK = (" ✓ ", "green")


def write_torn_down(results: Sequence[TornDown], form: str) -> None:
    """What is gone, and what remains; of two directions each by itself."""
    if form == "json":
        values = [
            {"name": r.replication.name, "done": r.done, "given": r.given, "left": r.left} for r in results
        ]
        write_data(dumps({"format_version": 1, "replications": values}))
        return
    lines = []
    for result in results:
        lines.append(Text(visible(str(result.replication)), "bold"))
        lines += [Text.assemble(CHECK, f"dropped {visible(text)}") for text in result.done]
        lines += [Text.assemble(CHECK, f"given back {visible(text)}") for text in result.given]
        lines += [Text.assemble((" ! ", "yellow"), f"left: {visible(text)}") for text in result.left]
        if not (result.done or result.left):
            lines.append(Text("nothing to take down"))
    write_lines(lines)


def write_rebuilt(outcome: Outcome, form: str) -> None:
    """The steps, and the proof."""
    if form == "json":
        value = {
            "name": outcome.replication.name,
            "done": [asdict(done) for done in outcome.done],
            "proven": outcome.proof.proven if outcome.proof else None,
            "findings": [finding_value(finding) for finding in outcome.findings],
            "seconds": outcome.seconds,
        }
        write_data(dumps({"format_version": 1, **value}))
        return
    lines = [Text(visible(str(outcome.replication)), "bold")]
    lines += [Text.assemble(CHECK, f"{done.name:12} {visible(done.text)}") for done in outcome.done]
    lines.append(Text.assemble(CHECK, f"{'proof':12} all rows equal ({outcome.seconds:.1f} s)"))
    write_lines([*lines, *finding_lines(outcome.findings)])


def write_failed(stopped: FailedTransaction) -> None:
    """The transaction that may be left out, on stderr: before a question."""
    at = f", at {stopped.first_key}" if stopped.first_key else ""
    write_lines(
        [Text(f"stopped at {visible(str(stopped))}{visible(at)}: {visible(stopped.reason or '')}", "yellow")],
        stderr=True,
    )


def write_skipped(replication: Replication, skipped: Skipped, form: str) -> None:
    """What was left out."""
    if form == "json":
        value = {"name": replication.name, **asdict(skipped)}
        write_data(dumps({"format_version": 1, **value}))
        return
    write_lines(
        [
            Text.assemble(
                CHECK, f"left out {visible(str(skipped.transaction))}; everything after it is applied"
            ),
            next_line("replicate compare", *replication.options),
        ]
    )


def write_sequences(
    behind: Sequence[tuple[Replication, Sequence[StaleSequence]]], form: str, *, advanced: bool
) -> None:
    """The sequences that are, or were, behind."""
    if form == "json":
        values = [
            {
                "name": replication.name,
                "target": str(replication.target),
                "sequences": [
                    {
                        "sequence": each.sequence,
                        "column": f"{each.table.qualified}.{each.column}",
                        "upcoming": each.upcoming,
                        "highest": each.highest,
                        "next": each.following,
                    }
                    for each in sequences
                ],
            }
            for replication, sequences in behind
        ]
        write_data(dumps({"format_version": 1, "advanced": advanced, "replications": values}))
        return
    lines = []
    for replication, sequences in behind:
        lines.append(Text(visible(str(replication)), "bold"))
        for each in sequences:
            stood = f"{'would have given' if advanced else 'would give'} {each.upcoming}"
            to = f", now gives {each.following}" if advanced else f"; the next is to be {each.following}"
            lines.append(
                Text(visible(f" ~ {each.sequence} {stood}, keys go up to {each.highest}{to}"), "yellow")
            )
        if not sequences:
            lines.append(Text.assemble(CHECK, "no sequence is behind"))
    write_lines(lines)
