"""A replication that has come to harm is mended: built anew, put right."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.facts import triggers
from novaops.replication.pair import open_pair
from novaops.replication.repairs.sequences import advance, stale
from novaops.replication.set_up import set_up
from novaops.replication.status import status

from .acting import CONSENT, Chat, compared, execute, found, rebuilt
from .conftest import CHAT, replication


def test_a_slot_that_is_gone_is_rebuilt(running: Chat) -> None:
    source, target, declared = running
    execute(target, f"ALTER SUBSCRIPTION {declared.subscription} DISABLE")
    with open_pair(declared) as pair:
        from novaops.replication.set_up.slot import drop_slot

        drop_slot(pair.source.connection, declared.slot)
    execute(
        source,
        "INSERT INTO agent_chat (sender, message) VALUES ('a', 'lost')",
        "DELETE FROM agent_chat WHERE id = 3",
        "UPDATE agent_chat SET message = 'changed' WHERE id = 4",
    )
    finding, _ = found(declared, "slot-missing")
    assert "rebuild" in str(finding.remedy)
    with open_pair(declared) as pair, pytest.raises(NovaopsError, match="not there"):
        set_up(pair, declared)
    with psycopg.connect(target, autocommit=True) as listener:
        listener.execute("LISTEN agent_chat")
        outcome = rebuilt(declared, CONSENT)
        payloads = [n.payload for n in listener.notifies(timeout=0.5)]
    assert "3 rows brought into line with the source" in [done.text for done in outcome.done]
    assert compared(declared).equal
    assert status(declared).healthy
    # None of the rows that were mended, one resync, and the row of the proof.
    assert [p for p in payloads if "resync" in p] == ['{"resync": true, "table": "public.agent_chat"}']
    assert len(payloads) == 2


def test_a_publication_that_was_dropped_is_not_just_made_again(running: Chat) -> None:
    source, _, declared = running
    execute(
        source,
        f"DROP PUBLICATION {declared.publication}",
        "INSERT INTO agent_chat (sender, message) VALUES ('a', 'sent to nobody')",
    )
    finding, _ = found(declared, "publication-missing")
    assert "rebuild" in str(finding.remedy)
    with open_pair(declared) as pair, pytest.raises(NovaopsError, match="no publication"):
        set_up(pair, declared)
    rebuilt(declared)
    assert compared(declared).equal


def test_a_rebuild_that_was_cut_off_goes_on(running: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    _, target, declared = running
    from novaops.replication.set_up import subscription

    def no(*_: object, **__: object) -> None:
        raise NovaopsError("cut off")

    with monkeypatch.context() as patched:
        patched.setattr(subscription, "create", no)
        with pytest.raises(NovaopsError, match="cut off") as cut:
            rebuilt(declared)
    assert "rebuild" in str(cut.value.hint)
    finding, _ = found(declared, "unfinished")
    assert "rebuild" in str(finding.remedy)
    with open_pair(declared) as pair, pytest.raises(NovaopsError, match="being built anew"):
        set_up(pair, declared)
    rebuilt(declared)
    assert status(declared).healthy
    with psycopg.connect(target) as connection:
        assert [t.mode for t in triggers(connection, declared.tables)] == ["always"]


def test_a_lost_slot_is_rebuilt(
    new_database: Callable[..., str],
    other_server_url: str,
    other_database: str,
    for_servers: Callable[[str], Mapping[str, str]],
    pytestconfig: pytest.Config,
) -> None:
    if pytestconfig.getoption("--pg-url"):
        pytest.skip("the account of a given server need not be able to read the other's passfile")
    target = new_database("graybeard")
    for url in (other_database, target):
        execute(url, CHAT)
    declared = replication(other_database, target, for_servers(other_database))
    with open_pair(declared) as pair:
        set_up(pair, declared)
    execute(target, f"ALTER SUBSCRIPTION {declared.subscription} DISABLE")
    execute(other_server_url, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
    try:
        execute(
            other_database,
            "INSERT INTO agent_chat (sender, message) SELECT 'a', repeat('x', 200) FROM generate_series(1, 1000)",
            *[
                "SELECT pg_logical_emit_message(false, 'novaops', repeat('x', 20000000))",
                "SELECT pg_switch_wal()",
            ]
            * 3,
            "CHECKPOINT",
        )
        finding, _ = found(declared, "slot-lost")
        assert "rebuild" in str(finding.remedy)
        rebuilt(declared)
    finally:
        execute(other_server_url, "ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()")
    assert compared(declared).equal


def test_a_trigger_that_was_made_anew_is_found_and_put_right(running: Chat) -> None:
    _, target, declared = running
    execute(
        target,
        "CREATE OR REPLACE TRIGGER trg_notify_agent_chat AFTER INSERT ON agent_chat"
        " FOR EACH ROW EXECUTE FUNCTION notify_agent_chat()",
    )
    finding, _ = found(declared, "trigger-mode")
    assert "origin" in finding.message
    with open_pair(declared) as pair:
        assert [done.name for done in set_up(pair, declared).done] == ["triggers"]
    assert status(declared).healthy


def test_a_stale_sequence_is_advanced(running: Chat) -> None:
    _, target, declared = running
    with psycopg.connect(target, autocommit=True) as connection:
        (behind,) = stale(connection, declared)
        assert (behind.upcoming, behind.highest, behind.following) == (1, 100, 101)
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO agent_chat (sender, message) VALUES ('local', 'x')")
        assert len(advance(connection, declared)) == 1
        assert stale(connection, declared) == ()
        row = connection.execute(
            "INSERT INTO agent_chat (sender, message) VALUES ('local', 'x') RETURNING id"
        )
        assert row.fetchone() == (101,)
