"""A set-up that is killed or interrupted at any moment goes on with the same command."""

from __future__ import annotations

import re
from collections.abc import Collection

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.progress import Silent
from novaops.replication.declaration import Replication
from novaops.replication.facts import publications, slots
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare

from .acting import Chat, Listener, Mortal, clean, died, execute, run, write


def killed(declared: Replication, at: int, allow: Collection[str] = ()) -> bool:
    """Whether a set-up in a process of its own died there, and did not come to its end before."""
    return died(lambda: run(declared, Mortal(at), allow=allow))


WRITES = re.compile(
    r"\b(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|GRANT|REVOKE|pg_create_logical_replication_slot)\b"
)


def killed_at_write(declared: Replication, at: int, allow: Collection[str] = ()) -> bool:
    """The same, before the statement of that number which changes something on either side."""
    mortal, execute = Mortal(at), psycopg.Cursor.execute

    def counted(cursor: psycopg.Cursor, query: object, *given: object, **options: object) -> psycopg.Cursor:
        if WRITES.search(str(query)):
            mortal.moment()
        return execute(cursor, query, *given, **options)  # type: ignore[arg-type]

    def act() -> None:
        psycopg.Cursor.execute = counted  # type: ignore[method-assign]
        run(declared, allow=allow)

    return died(act)


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
LAST = 21
"""The first moment at which the set-up has come to its end."""


@pytest.mark.parametrize("moment", range(1, LAST + 1))
def test_killed_once_it_goes_on(chat: Chat, moment: int, pytestconfig: pytest.Config) -> None:
    if moment not in SOME and not pytestconfig.getoption("--every-fault"):
        pytest.skip("one of all moments (--every-fault)")
    source, _, declared = chat
    write(source, 20)
    assert killed(declared, moment) == (moment < LAST)
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
