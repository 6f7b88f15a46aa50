"""A set-up leads to what is declared, says when it is there, and leaves nothing behind where it cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.errors import NovaopsError
from novaops.progress import Silent
from novaops.replication.facts import slots, triggers
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare
from novaops.replication.repairs.teardown import teardown
from novaops.replication.set_up import set_up
from novaops.replication.set_up.copying import wait_until_copied

from .acting import Chat, Listener, clean, names, run, write
from .conftest import CHAT, replication


def test_sets_up_once_and_then_has_nothing_to_do(chat: Chat, listener: Listener) -> None:
    source, _, declared = chat
    write(source, 50)
    first = run(declared)
    assert {"publication", "hold", "slot", "subscription", "copy", "triggers"} <= set(names(first))
    assert first.proof is not None
    assert first.proof.proven
    (sentinel,) = first.proof.sentinels
    assert sentinel.heard
    # Not one of the rows of the past was heard; the sentinel of the proof is the only row.
    resync, *rows = listener.heard(2)
    assert resync == '{"resync": true, "table": "public.agent_chat"}'
    assert len(rows) == 1

    again = run(declared)
    assert again.done == ()
    assert again.findings == ()

    write(source, 3)
    assert len(listener.heard(3)) == 3
    assert listener.heard() == []


def test_between_two_servers(
    new_database: Callable[..., str],
    other_database: str,
    for_servers: Callable[[str], Mapping[str, str]],
) -> None:
    source = new_database("nova")
    for url in (source, other_database):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CHAT)
    write(source, 10)
    declared = replication(source, other_database, for_servers(source))
    with open_pair(declared) as pair:
        assert not pair.same_server
        assert set_up(pair, declared).proof is not None


def test_what_was_made_by_hand_is_taken_over(chat: Chat) -> None:
    """The older documentation's statements, with the slot made first: on one server they would hang."""
    source, target, declared = chat
    slot = declared.slot[:50] + "_by_hand"
    reach = make_conninfo(**declared.server_conninfo, dbname=str(conninfo_to_dict(source)["dbname"]))
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE PUBLICATION agent_chat_pub FOR TABLE agent_chat")
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION agent_chat_pub WITH (create_slot = false, slot_name = {})"
            ).format(sql.Identifier(declared.subscription), reach, slot)
        )
    with open_pair(declared) as pair:
        wait_until_copied(pair, declared, Silent())
    assert names(run(declared)) == ["stop", "triggers"]
    assert run(declared).done == ()
    assert [text.split()[1] for text in teardown(declared).done] == [
        declared.subscription,
        slot,
        "agent_chat_pub",
    ]


def test_rows_written_meanwhile_all_arrive(chat: Chat) -> None:
    source, _, declared = chat
    write(source, 20_000)
    stop = threading.Event()
    written = 0

    def writer() -> None:
        nonlocal written
        while written < 100_000:
            write(source, 1000, "meanwhile")
            written += 1000
            if stop.is_set() and written >= 100_000:
                return

    thread = threading.Thread(target=writer)
    thread.start()
    run(declared)
    stop.set()
    thread.join()
    with open_pair(declared) as pair:
        (compared,) = compare(pair, declared)
    assert compared.equal
    assert compared.source_rows == compared.target_rows == 120_000


def test_an_open_transaction_is_waited_for_and_named(chat: Chat, new_database: Callable[..., str]) -> None:
    source, target, declared = chat
    with psycopg.connect(new_database("elsewhere")) as elsewhere:
        elsewhere.execute("CREATE TABLE t (a int)")
        with pytest.raises(NovaopsError) as refused:
            run(declared, wait=timedelta(seconds=1.2))
        assert f"pid {elsewhere.info.backend_pid} in elsewhere" in str(refused.value.detail)
        assert "idle in transaction" in str(refused.value.detail)
    assert clean(source, target, declared)
    with psycopg.connect(target) as connection:
        (trigger,) = triggers(connection, declared.tables)
        assert trigger.mode == "origin"


def test_what_fails_is_undone(chat: Chat) -> None:
    source, target, declared = chat
    write(source, 10)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("ALTER TABLE agent_chat ADD CHECK (id < 8)")
    with pytest.raises(NovaopsError, match="agent_chat_id_check"):
        run(declared)
    assert clean(source, target, declared)
    with psycopg.connect(target, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)
        (trigger,) = triggers(connection, declared.tables)
        assert trigger.mode == "origin"
        connection.execute("ALTER TABLE agent_chat DROP CONSTRAINT agent_chat_id_check")
    assert "copy" in names(run(declared))


def test_a_slot_of_somebody_else_is_left_alone(chat: Chat) -> None:
    source, _, declared = chat
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [declared.slot])
        with pytest.raises(NovaopsError, match=f"there is a slot {declared.slot}"):
            run(declared)
        assert declared.slot in slots(connection)
        connection.execute("SELECT pg_drop_replication_slot(%s)", [declared.slot])
