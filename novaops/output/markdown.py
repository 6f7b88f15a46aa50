"""The plan for a pull request: the tree, hazards as a checklist, the SQL folded away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from novaops.execution.rehearsal import Rehearsal
from novaops.output.left_out import left_out
from novaops.output.pre_migrations import pre_migration_lines
from novaops.output.sql import plan_to_sql
from novaops.output.terminal import visible, visible_lines
from novaops.output.text import matches, place, summary, version
from novaops.output.tree import counted, state_of, tree
from novaops.planning.plan import Hazard, Plan

WIDTH = 100
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&@])")


def plan_to_markdown(plan: Plan) -> str:
    """The plan as GitHub and GitLab show it."""
    return "\n".join(_document(plan)) + "\n"


def _document(plan: Plan) -> Iterator[str]:
    target = plan.target
    yield f"### Plan for {_escaped(target.database)}"
    yield ""
    if not plan.todo and not plan.changes:
        yield _escaped(left_out(plan) if plan.left_out else matches(plan))
        yield from _left_out(plan)
        return
    yield f"{_escaped(place(target))} · {_escaped(version(target))} · {_escaped(plan.files)}"
    yield ""
    yield f"**{' · '.join(summary(plan))}**"
    yield ""
    if plan.rehearsal is not None:
        yield _escaped(str(Rehearsal.of(plan.rehearsal)))
        yield ""
    shown = [*pre_migration_lines(plan.pre_migrations), *tree(plan, WIDTH)]
    yield from _fenced("\n".join(line.plain for line in shown).rstrip("\n"), "text")
    yield from _hazards(plan)
    yield from _left_out(plan)
    yield ""
    yield f"<details><summary>{counted(len(plan.statements), 'statement')}</summary>"
    yield ""
    yield from _fenced("\n".join(visible_lines(plan_to_sql(plan).rstrip("\n"))), "sql")
    yield ""
    yield "</details>"


def _hazards(plan: Plan) -> Iterator[str]:
    found = [h for file in plan.pre_migrations for h in file.hazards]
    found += [h for change in plan.changes for h in change.hazards]
    found += [h for statement in plan.statements for h in statement.hazards]
    hazards: dict[str, Hazard] = {}
    for hazard in [*found, *plan.blocked]:
        hazards.setdefault(hazard.consent, hazard)
    if not hazards:
        return
    yield ""
    yield "**Hazards**: each needs consent by name (`novaops apply --allow …`)"
    yield ""
    for consent, hazard in hazards.items():
        done = "x" if hazard.allowed else " "
        yield f"- [{done}] {_code(consent)} {_escaped(hazard.message + state_of(hazard))}"
        if hazard.query:
            fenced = "\n".join(_fenced("\n".join(visible_lines(f"{hazard.query};")), "sql"))
            yield from (f"  {line}" for line in fenced.split("\n"))


def _left_out(plan: Plan) -> Iterator[str]:
    for title, names in (("Skipped by .pgschemaignore", plan.skipped), ("Unmanaged", plan.unmanaged)):
        if names:
            yield ""
            yield f"{title}: {', '.join(_code(name) for name in names)}"
    if plan.left_out:
        yield ""
        yield f"Left out: {', '.join(_code(change.object) for change in plan.left_out)}"
    for notice in plan.notices:
        yield ""
        # Two blanks at its end keep a line apart from the next.
        yield "  \n".join(f"> {_escaped(line)}" for line in notice.split("\n"))


def _fenced(text: str, language: str) -> Iterator[str]:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield text
    yield fence


def _code(text: str) -> str:
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", visible(text))
