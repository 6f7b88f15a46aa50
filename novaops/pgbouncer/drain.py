"""Waiting until nobody is connected through an alias that goes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from novaops.errors import NovaopsError, RefusedError
from novaops.pgbouncer.console import Console, Row
from novaops.pgbouncer.pooler import Pooler
from novaops.progress import Reporter

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Drain:
    """How long to wait for clients (seconds), and whether to cut off those that stay."""

    seconds: float = 30.0
    force: bool = False


@contextmanager
def drained(
    pooler: Pooler, names: Sequence[str], drain: Drain, reporter: Reporter, *, serving: bool = False
) -> Iterator[None]:
    """DISABLE the aliases, wait for their clients, and ENABLE them again if the context ends in an error.

    `serving` waits first and disables then: who connects meanwhile gets in.
    Raises `RefusedError`, with everything as before, where clients stay and are not to be cut off.
    """
    if pooler.console is None:
        if pooler.running and not drain.force:
            raise NovaopsError(
                f"who is connected through {', '.join(names)} cannot be asked",
                detail=pooler.why_no_console,
                hint="removing an alias cuts its clients off; --force does it unseen",
            )
        yield
        return
    console = pooler.console
    served = {row["name"] for row in console.show("DATABASES")}
    there = [name for name in names if name in served]
    try:
        if left := (_wait_serving if serving else _wait_disabled)(pooler, there, drain, reporter):
            raise RefusedError(
                f"{_clients(left)} still connected through {', '.join(dict.fromkeys(r['database'] for r in left))}",
                detail="\n".join(_who(row) for row in left),
                hint="wait longer with --drain TIME, or cut them off with --force; the alias takes clients again",
            )
        yield
    except BaseException:
        _enable(console, there)
        raise


def _wait_disabled(pooler: Pooler, names: Sequence[str], drain: Drain, reporter: Reporter) -> list[Row]:
    """Who is left at the end; nobody where they are to be cut off."""
    _disable(pooler, names)
    return _wait(pooler, names, drain, time.monotonic() + drain.seconds, reporter)


def _wait_serving(pooler: Pooler, names: Sequence[str], drain: Drain, reporter: Reporter) -> list[Row]:
    """As `_wait_disabled`, with new clients let in until there are none, or they are to be cut off."""
    deadline = time.monotonic() + drain.seconds
    while not (left := _wait(pooler, names, drain, deadline, reporter)):
        _disable(pooler, names)
        late = [row for name in names for row in pooler.clients(name)]
        if not late or (drain.force and time.monotonic() >= deadline):
            return []
        # Somebody came in between the last look and DISABLE.
        _enable(pooler.need_console(), names)
    return left


def _disable(pooler: Pooler, names: Sequence[str]) -> None:
    for name in names:
        pooler.need_console().command("DISABLE", name)


def _wait(
    pooler: Pooler, names: Sequence[str], drain: Drain, deadline: float, reporter: Reporter
) -> list[Row]:
    said = False
    while left := [row for name in names for row in pooler.clients(name)]:
        if time.monotonic() >= deadline:
            return [] if drain.force else left
        if not said:
            reporter.waiting(f"waiting for {_clients(left)}: {'; '.join(_who(row) for row in left[:5])}")
            said = True
        time.sleep(POLL_SECONDS)
    return []


def _enable(console: Console, names: Sequence[str]) -> None:
    for name in names:
        with suppress(NovaopsError):  # it may be gone, or the pooler itself
            console.command("ENABLE", name)


def _clients(rows: Sequence[Row]) -> str:
    return "1 client" if len(rows) == 1 else f"{len(rows)} clients"


def _who(row: Row) -> str:
    name = row.get("application_name") or "unnamed"
    return f"{row['user']} from {row['addr']} ({name}), connected since {row['connect_time']}"
