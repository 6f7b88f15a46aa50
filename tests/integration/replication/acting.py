"""What tests of replication do, and how they look at what came of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta

import psycopg

from novaops.progress import Silent
from novaops.replication.checks import Scene, preflight
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import publications, slots, subscriptions
from novaops.replication.finding import Finding
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import TableComparison, compare
from novaops.replication.repairs.rebuild import rebuild
from novaops.replication.set_up import Outcome, set_up
from novaops.replication.set_up.run import WAIT
from novaops.replication.status import Status, status

Chat = tuple[str, str, Replication]


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def write(url: str, count: int = 1, sender: str = "a") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO agent_chat (sender, message) SELECT %s, 'm' || g FROM generate_series(1, %s) g",
            [sender, count],
        )


CONSENT = "data-loss:public.agent_chat"


def run(
    declared: Replication,
    reporter: Silent | None = None,
    *,
    allow: Collection[str] = (),
    wait: timedelta = WAIT,
) -> Outcome:
    with open_pair(declared) as pair:
        return set_up(pair, declared, reporter, allow=allow, wait=wait)


def names(outcome: Outcome) -> list[str]:
    return [done.name for done in outcome.done]


def clean(source: str, target: str, declared: Replication) -> bool:
    """Whether nothing of the replication is on either side."""
    with psycopg.connect(source) as ours, psycopg.connect(target) as theirs:
        return not (publications(ours) or subscriptions(theirs) or declared.slot in slots(ours))


class Listener:
    """Hears the channel agent_chat from now on."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("LISTEN agent_chat")

    def heard(self, at_least: int = 0, seconds: float = 10) -> list[str]:
        """What has been heard since the last call; waits for so many."""
        found = [n.payload for n in self.connection.notifies(timeout=0.05)]
        if len(found) < at_least:
            found += [
                n.payload for n in self.connection.notifies(timeout=seconds, stop_after=at_least - len(found))
            ]
        return found


def compared(declared: Replication) -> TableComparison:
    with open_pair(declared) as pair:
        return compare(pair, declared)[0]


def rebuilt(declared: Replication, *allow: str) -> Outcome:
    with open_pair(declared) as pair:
        return rebuild(pair, declared, allow=allow)


def found(declared: Replication, name: str, until: float = 15) -> tuple[Finding, Status]:
    """The finding, which may take the servers a moment."""
    deadline = time.monotonic() + until
    while True:
        seen = status(declared)
        for finding in seen.findings:
            if finding.name == name:
                return finding, seen
        assert time.monotonic() < deadline, [f.message for f in seen.findings]
        time.sleep(0.1)


def look(declared: Replication, *allow: str) -> dict[str, Finding]:
    """The findings by name; of several of one name the first."""
    with open_pair(declared) as pair:
        found = preflight(pair, declared, Scene.of(pair, declared, allow)).findings
    return {finding.name: finding for finding in reversed(found)}


def errors(declared: Replication) -> list[str]:
    return sorted(finding.name for finding in look(declared).values() if finding.severity == "error")


def tables(declared: Replication, table: ReplicatedTable) -> Replication:
    return replace(declared, tables=(table,))


class Mortal(Silent):
    """Dies at the moment number `at`."""

    def __init__(self, at: int) -> None:
        self.left = at

    def moment(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self, index: int, total: int, sql: str) -> None:
        self.moment()

    def phase(self, text: str) -> AbstractContextManager[None]:
        self.moment()
        return nullcontext()


def died(act: Callable[[], object]) -> bool:
    """Whether a process of its own was killed while it did that."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
