"""The steps of a change of replicated tables, before they are taken and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.text import Text

from novaops.output.json import dumps, plan_value
from novaops.output.replication import finding_lines, finding_value
from novaops.output.terminal import console, visible, write_data, write_lines
from novaops.output.text import next_line, statement_lines
from novaops.output.tree import HAZARD, counted
from novaops.replication.schema_change.course import Course, Step
from novaops.replication.schema_change.run import Changed

CHECK = (" ✓ ", "green")


def write_course(course: Course) -> None:
    """All steps in order, with the database of each; what is refused; what goes on."""
    write_lines(course_lines(course, console().width))


def course_lines(course: Course, width: int) -> Iterator[Text]:
    """The same as lines."""
    for leg in course.legs:
        yield Text(visible(str(leg.replication)), "bold")
    for refusal in course.refusals:
        yield Text.assemble((" ✗ ", HAZARD), f"{visible(refusal.object)}: {visible(refusal.why)}")
        yield Text(f"     → {visible(refusal.instead)}")
    if course.refusals:
        return
    if not course.todo:
        yield Text("nothing to do: both sides are as the files have them", "green")
        return
    for notice in course.source.notices:
        yield Text(f"note     {visible(notice)}", "yellow")
    names = max(len(step.database) for step in course.steps)
    for number, step in enumerate(course.steps, start=1):
        yield Text.assemble(
            f"{number:>2}  ", (f"{visible(step.database):{names}}", "bold"), f"  {visible(step.text)}"
        )
        yield from _step(step, width)
    statements = sum(len(step.plan.statements) for step in course.steps if step.plan)
    yield Text()
    yield Text(f"{counted(len(course.steps), 'step')}, {counted(statements, 'statement')}", "bold")
    yield from _next(course)


def write_changed(course: Course, changed: Changed | None, form: str, *, checked: bool = False) -> None:
    """What was done, and the proof. None: nothing was; `checked`: nor was it to be."""
    if form == "json":
        write_data(dumps(_value(course, changed)))
    elif changed is None:
        if course.todo and not checked:
            write_lines([Text("nothing was done", "bold")], stderr=True)
    elif course.todo:
        write_lines(_done(changed))


def _step(step: Step, width: int) -> Iterator[Text]:
    for text in step.statements:
        yield Text(f"       {visible(text)}", "dim")
    if step.plan is None:
        return
    count = len(step.plan.statements)
    for number, statement in enumerate(step.plan.statements, start=1):
        for line in statement_lines(number, statement, max(len(str(count)), 2), width - 4):
            yield Text.assemble("    ", line)


def _next(course: Course) -> Iterator[Text]:
    consents = [hazard.consent for hazard in course.blocked]
    yield Text()
    for label, consent in zip(["blocked", *[""] * len(consents)], consents, strict=False):
        yield Text.assemble((f"{label:9}", HAZARD), visible(consent))
    allow = [word for consent in consents for word in ("--allow", consent)]
    yield next_line("replicate apply", *allow)


def _done(changed: Changed) -> Iterator[Text]:
    for done in changed.done:
        yield Text.assemble(CHECK, f"{done.name:12} {visible(done.text)}")
    for proof in changed.proofs:
        rows = sum(c.source_rows for c in proof.comparisons)
        where = visible(proof.replication.target.database)
        yield Text.assemble(
            CHECK,
            f"{'proof':12} {counted(rows, 'row')} equal in {where} · nothing behind ({changed.seconds:.1f} s)",
        )
        yield from finding_lines(proof.findings)


def _value(course: Course, changed: Changed | None) -> dict[str, Any]:
    return {
        "format_version": 1,
        "replications": [leg.replication.name for leg in course.legs],
        "steps": [_step_value(step) for step in course.steps] if not course.refusals else [],
        "refusals": [asdict(refusal) for refusal in course.refusals],
        "blocked": [hazard.consent for hazard in course.blocked],
        "done": None if changed is None else [asdict(done) for done in changed.done],
        "proven": None if changed is None else all(proof.proven for proof in changed.proofs),
        "findings": [
            finding_value(f) for proof in (changed.proofs if changed else ()) for f in proof.findings
        ],
        "seconds": None if changed is None else changed.seconds,
    }


def _step_value(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "database": step.database,
        "text": step.text,
        "plan": None if step.plan is None else plan_value(step.plan),
        "statements": list(step.statements),
    }
