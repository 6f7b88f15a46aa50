"""One transaction that the target does not take is left out; everything after it is applied."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.invocation import command_line
from novaops.replication.declaration import Replication
from novaops.replication.facts import subscriptions
from novaops.replication.pair import Pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.repairs.failed import FailedTransaction, failed
from novaops.replication.set_up import subscription

LIMIT = timedelta(seconds=30)
POLL = 0.1


@dataclass(frozen=True, slots=True)
class Skipped:
    """The transaction that was left out, and how far the worker has come since."""

    transaction: FailedTransaction
    seconds: float


def skip(pair: Pair, replication: Replication, expected: str | None = None) -> Skipped:
    """Leave out the transaction at which the subscription has disabled itself, and enable it.

    `expected` is the LSN that somebody has consented to. Raises `NovaopsError` when nothing has failed, or the
    next transaction fails as well; `RefusedError` when the transaction applies; `TargetChangedError` when it is another one now.
    """
    found = failed(pair, replication)
    if found is None:
        raise NovaopsError(
            f"{replication.subscription} has not stopped at a transaction: there is nothing to leave out",
            hint=command_line("replicate status", *replication.options),
        )
    if expected not in (None, found.lsn):
        raise TargetChangedError(
            f"the transaction at {expected} is not the one that fails; {found} is",
            hint=command_line("replicate skip", *replication.options),
        )
    if found.reason is None:
        raise RefusedError(
            f"{found} applies to {replication.target.database}: skipping it would lose its rows",
            hint=f"{command_line('replicate', *replication.options)} enables the subscription and applies it",
        )
    target, begun = pair.target.connection, time.monotonic()
    try:
        subscription.alter(target, replication.subscription, f"SKIP (lsn = '{found.lsn}')")
    except psycopg.errors.InsufficientPrivilege as error:
        raise NovaopsError(
            "only a superuser of the target may leave a transaction out", detail=error.diag.message_primary
        ) from error
    errors = _errors(pair, replication)
    subscription.alter(target, replication.subscription, "ENABLE")
    while time.monotonic() - begun < LIMIT.total_seconds():
        if barrier(pair, replication, timedelta(seconds=POLL)).passed:
            return Skipped(found, time.monotonic() - begun)
        if _errors(pair, replication) > errors:
            break
    raise NovaopsError(
        f"{found} was left out, and {replication.subscription} has stopped again",
        hint=command_line("replicate status", *replication.options),
    )


def _errors(pair: Pair, replication: Replication) -> int:
    found = subscriptions(pair.target.connection).get(replication.subscription)
    return found.apply_errors if found else 0
