"""How a replication is: lag, tables, and a plain sentence for everything that is wrong, with what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.db.identifiers import quote_literal
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.declaration import Replication
from novaops.replication.facts import subscriptions
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair, Side, open_side
from novaops.replication.proof.health import health, healthy
from novaops.replication.proof.state import State, as_found
from novaops.replication.repairs.failed import explained
from novaops.replication.repairs.sequences import stale
from novaops.replication.set_up.journal import unfinished
from novaops.replication.set_up.read_only import listed, shown, unguarded, writable
from novaops.replication.set_up.run import REBUILD, SCHEMA_CHANGE, SET_UP
from novaops.replication.trigger_modes import findings as trigger_findings
from novaops.replication.trigger_modes import standings

PATIENCE = "500ms"
"""How long looking may wait for a lock."""


@dataclass(frozen=True, slots=True)
class Status:
    """One replication at one moment."""

    replication: Replication
    state: State | None
    """None where the source is not reached."""
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        return healthy(self.findings)


def status(replication: Replication, samples: int = 1) -> Status:
    """Look at both sides; with more than one of the `samples`, also at what moves between them.

    Raises `NovaopsError` when the target is not reached; a source that is not is a finding.
    """
    with ExitStack() as stack:
        target = stack.enter_context(open_side(replication.target))
        try:
            source = stack.enter_context(open_side(replication.source))
        except NovaopsError as error:
            return Status(replication, None, tuple(_unreachable(replication, target, error)))
        pair = Pair(source, target, source.identity.same_server(target.identity) is not False)
        known = as_found(pair, replication)
        state, found = health(pair, known, samples)
        told = explained(pair, known, state, found)
        return Status(known, state, (*told, *_of_target(target.connection, known)))


def _of_target(target: psycopg.Connection[Any], replication: Replication) -> Iterator[Finding]:
    """What the target alone tells. Some of it is not to be had while somebody locks a table."""
    target.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])
    try:
        yield from list(_of_unlocked(target, replication))
    except psycopg.errors.LockNotAvailable:
        yield Finding("not-looked-at", "note", "a table is locked: triggers and sequences were not looked at")


def _of_unlocked(target: psycopg.Connection[Any], replication: Replication) -> Iterator[Finding]:
    to = replication.target.database
    yield from trigger_findings(standings(target, replication.tables), replication.tables)
    if replication.read_only and (places := unguarded(target, replication)):
        yield Finding(
            "not-read-only",
            "warning",
            f"{shown(places)} is declared read-only, and takes writes",
            remedy=command_line("replicate", *replication.options),
        )
    if replication.read_only and (grants := writable(target, replication)):
        yield Finding(
            "not-read-only",
            "warning",
            f"a table that is declared read-only may be written to: {listed(grants)}",
            remedy=command_line("replicate", *replication.options),
        )
    for each in stale(target, replication) if not replication.read_only else ():
        yield Finding(
            "sequence-behind",
            "note",
            f"{each.sequence} would give {each.upcoming}, and {each.table}.{each.column} goes up to {each.highest}: "
            f"an insert on {to} would fail",
            remedy=command_line("replicate sequences", *replication.options),
        )
    again = (
        (SET_UP, command_line("replicate", *replication.options)),
        (REBUILD, command_line("replicate rebuild", *replication.options)),
        (SCHEMA_CHANGE, command_line("replicate apply", "--to", to)),
    )
    for action, command in again:
        if unfinished(target, replication, action):
            yield Finding(
                "unfinished",
                "warning",
                f"a {action} of {replication.name} was cut off, or is still at work",
                remedy=f"{command} goes on with it",
            )


def _unreachable(replication: Replication, target: Side, error: NovaopsError) -> Iterator[Finding]:
    yield Finding(
        "source-unreachable",
        "error",
        f"the source is not reached: {error.message}",
        error.detail,
        error.hint,
    )
    found = subscriptions(target.connection).get(replication.subscription)
    if found is not None:
        worker = f"pid {found.apply_worker.pid}" if found.apply_worker else "none"
        slot = quote_literal(found.slot or replication.slot)
        yield Finding(
            "target-alone",
            "note",
            f"the subscription {found.name} is {'enabled' if found.enabled else 'disabled'}, its worker: {worker}",
            f"should the source never come back: {command_line('replicate teardown', *replication.options)} leaves the slot"
            f" {slot} there",
        )
    yield from _of_target(target.connection, replication)
