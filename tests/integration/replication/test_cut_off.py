"""A set-up that is killed or interrupted at any moment goes on with the same command."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.progress import Silent
from novaops.replication.declaration import Replication
from novaops.replication.facts import publications, slots
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare

from .acting import Chat, Listener, clean, execute, run, write


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


def killed(declared: Replication, at: int, allow: Collection[str] = ()) -> bool:
    """Whether a set-up in a process of its own died there, and did not come to its end before."""
    child = os.fork()
    if child == 0:
        try:
            run(declared, Mortal(at), allow=allow)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_killed_at_every_step_it_goes_on(chat: Chat, listener: Listener) -> None:
    source, _, declared = chat
    write(source, 50)
    moment = 1
    # Each run dies a little later than the one before, within what that has left to do.
    while killed(declared, moment):
        moment += 1 if moment < 4 else 2
        write(source)
    run(declared)
    assert run(declared).done == ()
    with open_pair(declared) as pair:
        assert [s for s in slots(pair.source.connection) if s.startswith("agent_chat_from")].count(
            declared.slot
        ) == 1
        (compared,) = compare(pair, declared)
    assert compared.equal
    heard = listener.heard()
    assert len(heard) == len(set(heard))
    assert sum("resync" in payload for payload in heard) <= 2


# A slot without a subscription; rows are being copied.
SOME = (7, 13)


@pytest.mark.parametrize("moment", range(1, 22))
def test_killed_once_it_goes_on(chat: Chat, moment: int, pytestconfig: pytest.Config) -> None:
    if moment not in SOME and not pytestconfig.getoption("--every-fault"):
        pytest.skip("one of all moments (--every-fault)")
    source, _, declared = chat
    write(source, 20)
    killed(declared, moment)
    run(declared)
    with open_pair(declared) as pair:
        assert compare(pair, declared)[0].equal
        assert set(slots(pair.source.connection)) >= {declared.slot}
    assert run(declared).done == ()


class Interrupted(Silent):
    """Somebody presses Ctrl-C when a step of that title begins."""

    def __init__(self, title: str) -> None:
        self.title = title

    def step(self, index: int, total: int, sql: str) -> None:
        if sql.startswith(self.title):
            raise KeyboardInterrupt


def test_interrupted_before_rows_are_copied_nothing_is_left(chat: Chat) -> None:
    source, target, declared = chat
    with pytest.raises(KeyboardInterrupt):
        run(declared, Interrupted("enabling"))
    assert clean(source, target, declared)


def test_interrupted_while_rows_are_copied_the_server_goes_on(chat: Chat) -> None:
    source, target, declared = chat
    write(source, 10)
    with pytest.raises(KeyboardInterrupt):
        run(declared, Interrupted("copying"))
    assert not clean(source, target, declared)
    run(declared)
    with open_pair(declared) as pair:
        assert compare(pair, declared)[0].equal


def test_what_another_version_has_journaled_stops_it_at_once(chat: Chat) -> None:
    source, target, declared = chat
    assert killed(declared, 4)
    execute(
        target,
        """UPDATE novaops.replication_run SET made = made || '[{"kind": "colour", "name": "blue", "before": []}]'""",
    )
    with pytest.raises(NovaopsError, match="does not know: colour blue"):
        run(declared)
    with psycopg.connect(source) as connection:
        assert set(publications(connection)) <= {declared.publication}
        assert declared.slot not in slots(connection)
    execute(target, "UPDATE novaops.replication_run SET made = made - -1")
    run(declared)
    assert run(declared).done == ()
