"""A plan for people: what changes, by which statements, what stands in the way, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from novaops.db.lock_modes import STRENGTH, STRONGEST, words
from novaops.execution.rehearsal import Rehearsal
from novaops.invocation import command_line
from novaops.output.left_out import left_out_lines
from novaops.output.pre_migrations import pre_migration_lines
from novaops.output.terminal import console, plain, visible, visible_lines, write_lines
from novaops.output.tree import HAZARD, aligned, counted, state_of, tree, whole_database, without
from novaops.planning.hazard_codes import BOTH_SIDES, REFUSED_BY_ROWS
from novaops.planning.plan import Hazard, Plan, Statement, Target

VERBS = {"create": "add", "alter": "change", "replace": "rebuild", "rename": "rename", "drop": "drop"}
CONNECTION = frozenset({"--url", "--host", "--port", "--database", "--user", "--schema", "--scope"})
"""Options with a value by which `apply` and `dump` reach the same schemas."""
NAMED = 20
"""How many objects that were left out are named before the rest is counted."""
STUB = "pre-migrations/0001_fix_rows.sql"


def write_plan_text(plan: Plan, apply: Sequence[str] | None) -> None:
    """Print the plan; `apply` holds the arguments of the call that applies it, a plan file; None: there is none."""
    to = console()
    write_lines([*plan_lines(plan, to.width), *next_lines(plan, apply)])


def render_plan(plan: Plan, width: int = 80, apply: Sequence[str] | None = ()) -> str:
    """The plan as plain text."""
    return plain([*plan_lines(plan, width), *next_lines(plan, apply)])


def plan_lines(plan: Plan, width: int) -> list[Text]:
    """Everything but what to do next."""
    files = pre_migration_lines(plan.pre_migrations)
    if not plan.statements and not plan.changes and plan.left_out:
        return [
            *files,
            *fitted(_header(plan), width),
            *_left_out(plan),
            *_notices(plan),
            *left_out_lines(plan),
        ]
    if not plan.statements and not plan.changes:
        return [*files, Text(matches(plan), "green"), *_left_out(plan, quiet=True), *_notices(plan)]
    whole = whole_database(plan)
    lines = [*fitted(_header(plan), width), *_left_out(plan), *_notices(plan), Text()]
    for hazard in whole:
        lines += [*_hazard(hazard, 0, width), Text()]
    lines += [*files, *tree(plan, width)]
    lines += [Text(), *fitted(summary(plan), width, "bold"), *_rehearsed(plan), Text()]
    for transaction, statements in groupby(enumerate(plan.statements, 1), lambda s: s[1].transaction):
        lines.append(_rule(transaction, plan, width))
        for number, statement in statements:
            own = replace(statement, hazards=without(statement.hazards, whole))
            lines += statement_lines(number, own, len(str(len(plan.statements))), width)
    return [*lines, *left_out_lines(plan)]


def next_lines(plan: Plan, apply: Sequence[str] | None) -> list[Text]:
    """The hazards in the way, and the command that goes on."""
    if not plan.todo or apply is None:
        return []
    if not plan.certain:  # so neither is what stands in the way of the statements
        return [Text(), next_line("migrations run")]
    consents = list(dict.fromkeys(h.consent for h in plan.blocked))
    lines = [Text()]
    for label, consent in zip(["blocked", *[""] * len(consents)], consents, strict=False):
        lines.append(Text.assemble((f"{label:9}", HAZARD), visible(consent)))
    if any(h.hazard == BOTH_SIDES for h in plan.blocked):
        return [*lines, next_line("replicate apply")]
    if any(h in plan.blocked for h in whole_database(plan)):  # no ready command drops everything
        return [*lines, Text.assemble(("mend     ", "bold"), visible(_declare_it(plan)))]
    # Consent would only let PostgreSQL refuse the statement.
    hopeless = {h.consent: h for h in plan.blocked if h.hazard in REFUSED_BY_ROWS}
    if hopeless:
        lines += _mending(hopeless.values())
    allow = [word for consent in consents if consent not in hopeless for word in ("--allow", consent)]
    return [*lines, next_line("apply", *allow, arguments=apply, label="then" if hopeless else "next")]


def next_line(command: str, *options: str, arguments: Sequence[str] = (), label: str = "next") -> Text:
    """The line with the command that goes on."""
    line = command_line(command, *options, arguments=arguments)
    return Text.assemble((f"{label:9}", "bold"), visible(line))


def _mending(hazards: Iterable[Hazard]) -> Iterator[Text]:
    """A file that changes the rows that PostgreSQL would refuse, to be completed."""
    yield Text.assemble(
        ("fix      ", "bold"),
        f"the rows that PostgreSQL would refuse, for instance in {STUB}, which apply runs first:",
    )
    for hazard in hazards:
        for line in visible_lines(f"{hazard.consent}: {hazard.query or hazard.message}"):
            yield Text(f"           -- {line}")
        yield Text("           UPDATE … SET … WHERE …;")


def _declare_it(plan: Plan) -> str:
    """Say how an empty file comes to declare what the database has."""
    if not plan.files.endswith(".sql"):
        return f"declare in {plan.files} what must stay"
    return f"declare what must stay: {command_line('dump', '--out', plan.files)}"


def matches(plan: Plan) -> str:
    """The sentence for a plan without changes; pre-migrations that are still to run come first."""
    then = ", once the pre-migrations have run" if plan.running else ""
    return f"{now_matches(plan)}{then}."


def now_matches(plan: Plan) -> str:
    """The sentence for a plan that has been applied, without its full stop."""
    return visible(f"{plan.target.database} matches {plan.files} ({counted(plan.objects, 'object')})")


def fitted(parts: Sequence[str], width: int, style: str = "") -> Iterator[Text]:
    """The parts joined by dots, on as many lines as the width asks for."""
    line = ""
    for part in parts:
        joined = f"{line} · {part}" if line else part
        if line and cell_len(joined) > width:
            yield Text(line, style)
            joined = f"  {part}"
        line = joined
    yield Text(line, style)


def summary(plan: Plan) -> list[str]:
    """Counts of objects, and of statements apart."""
    counts = plan.summary
    objects = ", ".join(f"{counts[op]:,} to {verb}" for op, verb in VERBS.items() if counts[op])
    transactions = len({s.transaction for s in plan.statements} - {None})
    outside = sum(s.transaction is None for s in plan.statements)
    where = [f"in {counted(transactions, 'transaction')}"] if transactions else []
    if outside:
        where.append(f"{outside:,} outside" if transactions else "outside a transaction")
    statements = f"{counted(len(plan.statements), 'statement')} {', '.join(where)}"
    return [objects or "no object to change", statements.rstrip()]


def place(target: Target) -> str:
    """The server as people write it."""
    return f"{target.host or 'local socket'}:{target.port}"


def version(target: Target) -> str:
    """The server's version without what its packager adds."""
    return f"PostgreSQL {target.server_version.partition(' ')[0]}"


def _hazard(hazard: Hazard, indent: int, width: int) -> Iterator[Text]:
    """A hazard by the name that consent is given by, and what it is about."""
    left = Text(f"{' ' * indent}! {visible(hazard.consent)}", "yellow" if hazard.allowed else HAZARD)
    right = Text(visible(hazard.message) + state_of(hazard))
    if left.cell_len + 3 + right.cell_len <= width:
        yield Text.assemble(left, "   ", right)
    else:
        yield left
        yield Text.assemble(" " * (indent + 4), right)
    if hazard.query:
        for line in visible_lines(f"see {hazard.query};"):
            yield Text(" " * (indent + 4) + line, "dim")


def _header(plan: Plan) -> list[str]:
    files = plan.files
    if plan.file_statements:
        files += f" ({counted(plan.file_statements, 'statement')}, shadow {plan.shadow_seconds:.1f} s)"
    target = plan.target
    parts = (f"{target.database} on {place(target)}", version(target), files)
    return [visible(part) for part in parts]


def _left_out(plan: Plan, quiet: bool = False) -> Iterator[Text]:
    """What was not looked at; `quiet` says nothing where that is nothing."""
    skipped, unmanaged = plan.skipped, plan.unmanaged
    if quiet and not skipped and not unmanaged:
        return
    ignored = f"{counted(len(skipped), 'object')} by .pgschemaignore" if skipped else "none"
    yield Text(f"skipped  {ignored} · unmanaged: {len(unmanaged) or 'none'}", "dim")
    for name in unmanaged[:NAMED]:
        yield Text(f"           {visible(name)}", "dim")
    if len(unmanaged) > NAMED:
        yield Text(f"           and {len(unmanaged) - NAMED:,} more, all named in --format json", "dim")


def _notices(plan: Plan) -> Iterator[Text]:
    for notice in plan.notices:
        first, *more = visible_lines(notice)
        yield Text(f"note     {first}", "yellow")
        yield from (Text(f"         {line}", "yellow") for line in more)


def _rule(transaction: int | None, plan: Plan, width: int) -> Text:
    title = "outside a transaction" if transaction is None else f"transaction {transaction}"
    timeout = plan.options.get("lock_timeout") if transaction is not None else None
    right = f" lock_timeout {visible(str(timeout))}" if timeout else ""
    line = "─" * max(width - len(title) - len(right) - 4, 3)
    return Text.assemble("── ", (title, "bold"), f" {line}{right}")


def statement_lines(number: int, statement: Statement, digits: int, width: int) -> Iterator[Text]:
    """A statement with its number, what a rehearsal has seen of it, and its hazards."""
    indent = max(digits, 3) + 2
    first, *more = visible_lines(f"{statement.sql};")
    left = Text(f"{number:>{indent - 2}}  {first}")
    observed = Text(visible(", ".join(_observed(statement))), "dim")
    if more:
        yield left
        yield from (Text(" " * indent + line if line else "") for line in more)
        if observed.plain:
            yield Text.assemble(" " * (indent + 2), observed)
    else:
        yield from aligned(left, observed, width, indent + 2)
    for hazard in statement.hazards:
        yield from _hazard(hazard, indent + 2, width)


def _rehearsed(plan: Plan) -> Iterator[Text]:
    if plan.rehearsal is not None:
        verdict = Rehearsal.of(plan.rehearsal)
        yield Text(visible(str(verdict)), "green" if verdict.converges else HAZARD)


def _observed(statement: Statement) -> Iterator[str]:
    """What a rehearsal has seen, but for the locks that every reader takes."""
    locks = [lock for lock in statement.locks if not lock.endswith(" AccessShareLock")]
    for lock in locks:
        table, _, mode = lock.rpartition(" ")
        # The one table that the statement names goes without saying; what is documented has none.
        named = len(locks) == 1 and table in statement.sql
        yield lock if mode not in STRENGTH else words(mode) if named else f"{words(mode)} on {table}"
    yield from (f"rewrites {table}" for table in statement.rewrites)
    yield from (f"reads all of {table}" for table in statement.scans if table not in statement.rewrites)
    if (
        statement.operation == "alter"
        and not statement.rewrites
        and any(lock.endswith(STRONGEST) for lock in locks)
    ):
        yield "no rewrite"
