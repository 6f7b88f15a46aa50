"""The plan as a script for psql."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from novaops.db.identifiers import quote_literal
from novaops.output.terminal import visible
from novaops.output.text import place, version
from novaops.planning.plan import Plan, Statement

DEFAULT_LOCK_TIMEOUT = "3s"


def plan_to_sql(plan: Plan) -> str:
    """Transactions as planned, hazards as comments in front of the statements they belong to."""
    return "\n".join(_script(plan)) + "\n"


def _script(plan: Plan) -> Iterator[str]:
    target = plan.target
    yield _comment(f"{target.database} on {place(target)} ({version(target)}) → {plan.files}")
    yield _comment(f"valid for the database with the fingerprint {plan.source_fingerprint}")
    for change in plan.left_out:
        yield _comment(f"left out: {change.operation} {change.kind} {change.object}")
    if not plan.todo:
        yield _comment("nothing to do")
        return
    if plan.blocked:
        yield _comment("this script does not ask for consent; novaops apply would, for:")
        for consent in dict.fromkeys(h.consent for h in plan.blocked):
            yield _comment(f"  {consent}")
    yield r"\set ON_ERROR_STOP on"
    yield from _files(plan, "pre")
    # Bodies may name what a later statement makes; they have no dependencies to order them by.
    yield "SET check_function_bodies = off;"
    if plan.time_zone is not None:
        yield f"SET TimeZone = {quote_literal(plan.time_zone)};"
    timeout = str(plan.options.get("lock_timeout") or DEFAULT_LOCK_TIMEOUT).replace("'", "''")
    for transaction, statements in groupby(plan.statements, lambda s: s.transaction):
        yield ""
        if transaction is None:
            yield _comment("outside a transaction")
        else:
            yield _comment(f"transaction {transaction}")
            yield "BEGIN;"
            yield f"SET LOCAL lock_timeout = '{timeout}';"
        for statement in statements:
            yield from _statement(statement)
        if transaction is not None:
            yield "COMMIT;"
    yield from _files(plan, "post")


def _files(plan: Plan, phase: str) -> Iterator[str]:
    """Pre-migrations, by psql's include: they stay where they are, and what they hold with them."""
    for file in plan.running:
        if file.phase == phase:
            yield ""
            yield _comment(f"{file.name}; novaops apply would record it, psql does not")
            include = "\\i '" + visible(file.file).replace("\\", "\\\\").replace("'", "\\'") + "'"
            begins = file.transactional and not file.own_transaction
            yield from ("BEGIN;", include, "COMMIT;") if begins else (include,)
            yield "RESET ALL;"


def _statement(statement: Statement) -> Iterator[str]:
    for hazard in statement.hazards:
        yield _comment(f"! {hazard.consent}: {hazard.message}")
        if hazard.query:
            yield from (_comment(f"  {line}") for line in f"{hazard.query};".split("\n"))
    yield f"{statement.sql};"


def _comment(text: str) -> str:
    return f"-- {visible(text)}"
