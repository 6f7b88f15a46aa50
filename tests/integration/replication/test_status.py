"""What is said about a replication, whether it is well or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.replication.facts import publications, slots, subscriptions
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare
from novaops.replication.proof.repair import repair
from novaops.replication.proof.verify import verify
from novaops.replication.repairs.skip import skip
from novaops.replication.set_up import copying, set_up
from novaops.replication.status import status

from .acting import Chat, compared, execute, found, run
from .conftest import CHAT, endpoint


def test_healthy(running: Chat) -> None:
    _, _, declared = running
    seen = status(declared)
    assert seen.healthy
    assert seen.state is not None
    assert seen.state.subscription is not None
    # The sequence of the replica is behind its keys, which matters to nobody who does not write there.
    assert [(f.name, f.severity) for f in seen.findings] == [("sequence-behind", "note")]


def test_nothing_is_set_up(chat: Chat) -> None:
    _, _, declared = chat
    seen = status(declared)
    assert [f.name for f in seen.findings] == ["subscription-missing", "publication-missing", "trigger-mode"]
    assert all(f.remedy for f in seen.findings)


def test_a_lock_stalls_it(running: Chat) -> None:
    source, target, declared = running
    with psycopg.connect(target) as blocker:
        blocker.execute("LOCK TABLE agent_chat")
        execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'late')")
        finding, _ = found(declared, "stalled")
        assert f"pid {blocker.info.backend_pid}" in finding.message
        assert "agent_chat" in finding.message
        with open_pair(declared) as pair:
            proof = verify(pair, declared, limit=timedelta(seconds=1))
        assert "stalled" in [f.name for f in proof.findings]
    assert compared(declared).equal


def test_a_duplicate_key_is_explained_and_left_out(running: Chat) -> None:
    source, target, declared = running
    execute(target, "INSERT INTO agent_chat VALUES (900, 'local', 'in the way')")
    execute(source, "INSERT INTO agent_chat VALUES (900, 'a', 'refused')")
    finding, seen = found(declared, "disabled-by-error")
    assert "1 INSERT agent_chat" in finding.message
    assert "at agent_chat id = 900" in finding.message
    assert "duplicate key value" in finding.message
    assert not seen.healthy
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'after it')")
    with open_pair(declared) as pair:
        with pytest.raises(TargetChangedError):
            skip(pair, declared, "0/1")
        skipped = skip(pair, declared)
        assert skipped.transaction.reason is not None
        # What came after it is there; the row that was left out is told by comparing, and brought.
        seen_rows = compare(pair, declared)[0]
        assert (seen_rows.different, seen_rows.missing) == (1, 0)
        assert compare(pair, declared, repair=repair)[0].equal
        with pytest.raises(NovaopsError, match="nothing to leave out"):
            skip(pair, declared)
    assert status(declared).healthy


def test_a_subscription_disabled_by_hand_is_no_error_of_a_row(running: Chat) -> None:
    """Error counters are cumulative: an error that was mended proves nothing about the present."""
    source, target, declared = running
    execute(target, "INSERT INTO agent_chat VALUES (900, 'local', 'in the way')")
    execute(source, "INSERT INTO agent_chat VALUES (900, 'a', 'refused')")
    found(declared, "disabled-by-error")
    execute(target, "DELETE FROM agent_chat WHERE id = 900")
    run(declared)
    execute(target, f"ALTER SUBSCRIPTION {declared.subscription} DISABLE")
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'good')")
    finding, seen = found(declared, "disabled")
    assert seen.state is not None
    assert seen.state.subscription is not None
    assert seen.state.subscription.apply_errors > 0
    assert "skip" not in str(finding.remedy)
    run(declared)
    assert compared(declared).equal


def test_a_transaction_that_applies_is_not_skipped(running: Chat) -> None:
    source, target, declared = running
    execute(target, "INSERT INTO agent_chat VALUES (900, 'local', 'in the way')")
    execute(source, "INSERT INTO agent_chat VALUES (900, 'a', 'refused')")
    finding, _ = found(declared, "disabled-by-error")
    assert "replicate skip" in str(finding.remedy)
    execute(target, "DELETE FROM agent_chat WHERE id = 900")
    with open_pair(declared) as pair, pytest.raises(RefusedError, match="would lose its rows") as refused:
        skip(pair, declared)
    assert refused.value.exit_code == 4
    finding, _ = found(declared, "disabled")
    assert "skip" not in str(finding.remedy)
    run(declared)
    assert compared(declared).equal


def test_once_the_cause_is_gone_it_goes_on(running: Chat) -> None:
    source, target, declared = running
    execute(target, "INSERT INTO agent_chat VALUES (900, 'local', 'in the way')")
    execute(source, "INSERT INTO agent_chat VALUES (900, 'a', 'refused')")
    found(declared, "disabled-by-error")
    execute(target, "DELETE FROM agent_chat WHERE id = 900")
    with open_pair(declared) as pair:
        assert [done.name for done in set_up(pair, declared).done] == ["enable"]
    assert compared(declared).equal


def test_a_server_without_workers_is_named(
    chat: Chat, cramped_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker applies, and none is left to copy."""
    source, _, declared = chat
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'x')")
    execute(cramped_server_url, "DROP DATABASE IF EXISTS starved WITH (FORCE)", "CREATE DATABASE starved")
    target = make_conninfo(cramped_server_url, dbname="starved")
    execute(target, CHAT)
    there = replace(declared, target=endpoint(target))
    monkeypatch.setattr(copying, "STUCK", timedelta(seconds=3))
    try:
        with open_pair(there) as pair:
            with pytest.raises(NovaopsError, match="nothing has moved") as refused:
                set_up(pair, there)
            assert "max_logical_replication_workers" in str(refused.value.detail)
            assert there.slot not in slots(pair.source.connection)
            assert not subscriptions(pair.target.connection)
            assert not publications(pair.source.connection)
    finally:
        execute(cramped_server_url, "DROP DATABASE starved WITH (FORCE)")
