"""The transaction at which a subscription has disabled itself, and why the target does not take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from novaops.db.connection import connect
from novaops.db.identifiers import quote_ident
from novaops.invocation import command_line
from novaops.replication.declaration import Replication
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair, bound_lock_waits
from novaops.replication.proof.state import State, read_state
from novaops.replication.repairs.pgoutput import SentChange, SentTransaction, transactions

PEEK = """
SELECT data FROM pg_logical_slot_peek_binary_changes(
    %(slot)s, NULL, %(count)s, 'proto_version', '1', 'publication_names', %(publications)s
)
"""
COUNTS = (1, 1_000, 100_000)
"""How many changes are looked through, in vain the next number."""


@dataclass(frozen=True, slots=True)
class FailedTransaction:
    """The transaction of the source that comes next, and fails."""

    lsn: str
    xid: int
    changes: tuple[str, ...]
    """What it does: "3 INSERT agent_chat"."""
    reason: str | None
    """The target's words when it is applied in a transaction that is rolled back; None: it was taken then."""
    first_key: str | None
    """The row at which it fails."""

    def __str__(self) -> str:
        return f"the transaction at {self.lsn} ({', '.join(self.changes)})"


def failed(pair: Pair, replication: Replication, state: State | None = None) -> FailedTransaction | None:
    """Look at it; None where nothing has failed, or it cannot be looked at."""
    seen = state or read_state(pair, replication)
    found, slot = seen.subscription, seen.slot
    if found is None or found.enabled or slot is None or slot.active_pid is not None or slot.lost:
        return None
    if not found.apply_errors:
        return None
    try:
        pending = _next(pair, replication, found.publications, seen.origin_lsn)
    except psycopg.Error:
        return None
    if pending is None:
        return None
    reason, key = _applied(pair, pending)
    counted = Counter((c.operation, c.relation.schema, c.relation.name) for c in pending.changes)
    changes = (
        f"{count} {operation} {quote_ident(schema)}.{quote_ident(name)}".replace(" public.", " ")
        for (operation, schema, name), count in counted.items()
    )
    return FailedTransaction(lsn_text(pending.lsn), pending.xid, tuple(changes), reason, key)


def explained(
    pair: Pair, replication: Replication, state: State, found: Sequence[Finding]
) -> tuple[Finding, ...]:
    """The findings; of a subscription that has stopped it is told at which transaction, and why."""
    return tuple(_explained(pair, replication, state, finding) for finding in found)


def _explained(pair: Pair, replication: Replication, state: State, finding: Finding) -> Finding:
    """Name the error of a disabled subscription only if the next transaction fails when it is tried.

    The error counters prove nothing: pg_stat_subscription_stats counts since its last reset.
    """
    stopped = failed(pair, replication, state) if finding.name == "disabled" else None
    if stopped is None or stopped.reason is None:
        return finding
    at = f", at {stopped.first_key}" if stopped.first_key else ""
    return replace(
        finding,
        name="disabled-by-error",
        message=f"the subscription {replication.subscription} has stopped at {stopped}{at}: {stopped.reason}",
        detail=finding.message,
        remedy=f"remove the cause, then {command_line('replicate', *replication.options)}; "
        f"or skip the transaction: {command_line('replicate skip', *replication.options)}",
    )


def lsn_text(lsn: int) -> str:
    """An LSN as PostgreSQL writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _next(
    pair: Pair, replication: Replication, publications: tuple[str, ...], applied: str | None
) -> SentTransaction | None:
    """The first transaction in the slot that holds changes and is not applied yet."""
    after = lsn_number(applied) if applied else 0
    names = ",".join('"' + name.replace('"', '""') + '"' for name in publications)
    for count in COUNTS:
        rows = pair.source.connection.execute(
            PEEK, {"slot": replication.slot, "count": count, "publications": names}
        ).fetchall()
        for transaction in transactions(bytes(row[0]) for row in rows):
            if transaction.lsn >= after and transaction.changes:
                return transaction
    return None


def _applied(pair: Pair, pending: SentTransaction) -> tuple[str | None, str | None]:
    """Apply it as the worker does, in a transaction that is rolled back: the error, and the row."""
    with connect(pair.target.endpoint.conninfo()) as target, target.transaction(force_rollback=True):
        try:
            target.execute("SET LOCAL session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege as error:
            return f"it could not be tried: {error.diag.message_primary}", None
        bound_lock_waits(target)
        target.execute("SET LOCAL search_path = ''")
        for change in pending.changes:
            try:
                target.execute(_statement(change))
            except psycopg.Error as error:
                parts = [error.diag.message_primary or str(error), error.diag.message_detail]
                return "; ".join(part.splitlines()[0] for part in parts if part), _key(change)
    return None, None


def _key(change: SentChange) -> str | None:
    row = change.new or change.old or {}
    shown = [f"{quote_ident(name)} = {row.get(name)}" for name in change.relation.key if name in row]
    return f"{change.relation.name} {', '.join(shown)}" if shown else None


def _statement(change: SentChange) -> Composed:
    relation = change.relation
    table = Identifier(relation.schema, relation.name)
    if change.operation == "TRUNCATE":
        return SQL("TRUNCATE ONLY {}").format(table)
    new = change.new or {}
    found_by = change.old or new
    where = SQL(" AND ").join(
        SQL("{} IS NOT DISTINCT FROM {}").format(Identifier(name), Literal(found_by.get(name)))
        for name in (relation.key or tuple(found_by))
    )
    match change.operation:
        case "INSERT":
            return SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                table,
                SQL(", ").join(map(Identifier, new)),
                SQL(", ").join(map(Literal, new.values())),
            )
        case "UPDATE":
            sets = SQL(", ").join(
                SQL("{} = {}").format(Identifier(name), Literal(value)) for name, value in new.items()
            )
            return SQL("UPDATE {} SET {} WHERE {}").format(table, sets, where)
        case "DELETE":
            return SQL("DELETE FROM {} WHERE {}").format(table, where)
