"""A replication that has come to harm: what is said about it, and what mends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from novaops.errors import NovaopsError, TargetChangedError
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import publications, slots, subscriptions, triggers
from novaops.replication.finding import Finding
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import TableComparison, compare
from novaops.replication.proof.repair import repair
from novaops.replication.proof.verify import verify
from novaops.replication.repairs.rebuild import rebuild
from novaops.replication.repairs.sequences import advance, stale
from novaops.replication.repairs.skip import skip
from novaops.replication.repairs.teardown import teardown
from novaops.replication.set_up import Outcome, copying, set_up
from novaops.replication.status import Status, status
from tests.integration.replication.conftest import CHAT, endpoint, replication

Chat = tuple[str, str, Replication]


@pytest.fixture
def running(chat: Chat) -> Chat:
    """The chat, set up, with a hundred rows."""
    source, _, declared = chat
    execute(
        source, "INSERT INTO agent_chat (sender, message) SELECT 'a', 'm' || g FROM generate_series(1, 100) g"
    )
    with open_pair(declared) as pair:
        set_up(pair, declared)
    return chat


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def compared(declared: Replication) -> TableComparison:
    with open_pair(declared) as pair:
        return compare(pair, declared)[0]


def rebuilt(declared: Replication) -> Outcome:
    with open_pair(declared) as pair:
        return rebuild(pair, declared)


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


# -- what arrives ---------------------------------------------------------------------------


def test_rows_that_differ_are_named_and_repaired(running: Chat) -> None:
    _, target, declared = running
    execute(
        target,
        "DELETE FROM agent_chat WHERE id IN (5, 6)",
        "UPDATE agent_chat SET message = 'other' WHERE id = 7",
        "INSERT INTO agent_chat VALUES (1000, 'x', 'too many')",
    )
    with open_pair(declared) as pair:
        seen = compare(pair, declared, chunk=10)[0]
        assert (seen.missing, seen.different, seen.extra, seen.equal) == (2, 1, 1, False)
        assert [(d.kind, d.key) for d in seen.shown] == [
            ("missing", ("5",)),
            ("missing", ("6",)),
            ("different", ("7",)),
            ("extra", ("1000",)),
        ]
        proof = verify(pair, declared)
        assert not proof.proven
        assert [f.name for f in proof.findings] == ["rows-differ"]
        mended = compare(pair, declared, chunk=10, repair=repair)[0]
        assert (mended.repaired, mended.equal) == (4, True)
    assert compared(declared).equal


def test_only_what_is_replicated_is_compared(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    execute(
        source,
        "CREATE TABLE t (a text, b int, kind text, secret text, PRIMARY KEY (a, b, kind))",
        "INSERT INTO t SELECT 'Ä' || g, g, CASE WHEN g % 2 = 0 THEN '100%' ELSE 'no' END, 's' FROM generate_series(1, 60) g",
    )
    execute(target, "CREATE TABLE t (kind text, b int, a text, own int, PRIMARY KEY (a, b, kind))")
    table = ReplicatedTable("public", "t", ("a", "b", "kind"), "kind LIKE '100%'")
    declared = replication(source, target, for_servers(source), table)
    with open_pair(declared) as pair:
        set_up(pair, declared)
        execute(target, "INSERT INTO t VALUES ('no', 1, 'local row', 7)")
        seen = compare(pair, declared, chunk=7)[0]
        assert (seen.source_rows, seen.target_rows, seen.equal) == (30, 30, True)
        execute(target, "DELETE FROM t WHERE b = 4")
        assert compare(pair, declared, chunk=7, repair=repair)[0].repaired == 1
        assert compare(pair, declared)[0].equal


def test_a_table_without_a_key_is_compared_as_a_whole(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        execute(url, "CREATE TABLE t (a int); ALTER TABLE t REPLICA IDENTITY FULL")
    execute(source, "INSERT INTO t SELECT generate_series(1, 10)")
    declared = replication(source, target, for_servers(source), ReplicatedTable("public", "t"))
    with open_pair(declared) as pair:
        set_up(pair, declared)
        assert compare(pair, declared)[0].equal
        execute(target, "UPDATE t SET a = 11 WHERE a = 10")
        seen = compare(pair, declared)[0]
        assert (seen.key, seen.equal) == ((), False)
        with pytest.raises(NovaopsError, match="has no key"):
            compare(pair, declared, repair=repair)
    with pytest.raises(NovaopsError, match="has no key"):
        rebuilt(declared)


def test_rows_behind_row_security_are_not_taken_for_missing(
    running: Chat, new_database: Callable[..., str]
) -> None:
    source, _, declared = running
    role = f"limited_{declared.slot[-8:]}"
    execute(
        source,
        f"CREATE ROLE {role} LOGIN SUPERUSER",
        "ALTER TABLE agent_chat ENABLE ROW LEVEL SECURITY",
        f"ALTER ROLE {role} NOSUPERUSER",
        f"GRANT SELECT ON agent_chat TO {role}",
    )
    try:
        with open_pair(declared) as pair:
            from novaops.replication.proof.rows import SETTINGS, Range, Rows, shape

            limited = pair.source.connection
            limited.execute(SETTINGS)
            limited.execute(f"SET SESSION AUTHORIZATION {role}")
            with pytest.raises(NovaopsError, match="cannot read all rows"):
                Rows(limited, shape(limited, declared.tables[0])).sum(Range())
    finally:
        execute(source, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_sentinel_is_heard_whatever_the_table_wants(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        execute(
            url,
            "CREATE TYPE mood AS ENUM ('good', 'bad')",
            "CREATE TABLE t (id uuid PRIMARY KEY, name varchar(9) UNIQUE NOT NULL, tags text[] NOT NULL CHECK"
            " (cardinality(tags) > 0), mood mood NOT NULL, at timestamptz NOT NULL, doc jsonb NOT NULL,"
            " n numeric NOT NULL UNIQUE, twice int GENERATED ALWAYS AS (length(name) * 2) STORED)",
            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog"
            ' AS $$ BEGIN NOTIFY "My Channel"; RETURN NULL; END $$',
            "CREATE TRIGGER tell AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tell()",
        )
    table = ReplicatedTable("public", "t", trigger_modes={"tell": "always"})
    declared = replication(source, target, for_servers(source), table)
    with open_pair(declared) as pair:
        outcome = set_up(pair, declared)
        assert outcome.proof is not None
        (sentinel,) = outcome.proof.sentinels
        assert (sentinel.heard, sentinel.channels) == (True, ("My Channel",))
        execute(source, "ALTER TABLE t ADD CONSTRAINT never CHECK (length(name) < 0)")
        proof = verify(pair, declared)
        assert proof.proven
        assert [(f.name, f.severity) for f in proof.findings] == [("no-sentinel", "note")]
        assert "never" in proof.findings[0].message
        execute(source, "ALTER TABLE t DROP CONSTRAINT never")
        execute(target, "ALTER TABLE t DISABLE TRIGGER tell")
        assert [f.name for f in verify(pair, replace(declared, channel="My Channel")).findings] == [
            "not-heard"
        ]


def test_a_declared_sentinel_is_sent(running: Chat) -> None:
    """Here only a function knows what a row has to look like."""
    source, target, declared = running
    execute(
        source,
        "CREATE FUNCTION send(text) RETURNS int LANGUAGE sql AS"
        " $$ INSERT INTO agent_chat (sender, message) VALUES ('SECRET-' || $1, 'x') RETURNING id $$",
        "ALTER TABLE agent_chat ADD CHECK (sender LIKE 'SECRET-%') NOT VALID",
    )
    execute(source, "DELETE FROM agent_chat")
    with open_pair(declared) as pair:
        assert [f.name for f in verify(pair, declared).findings] == ["no-sentinel"]
        table = replace(declared.tables[0], sentinel="SELECT send('probe')")
        (sentinel,) = verify(pair, replace(declared, tables=(table,))).sentinels
        assert sentinel.heard
        broken = replace(table, sentinel="SELECT nothing()")
        proof = verify(pair, replace(declared, tables=(broken,)))
        assert "the declared statement fails" in proof.findings[0].message
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)


# -- what stops it --------------------------------------------------------------------------


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


def test_once_the_cause_is_gone_it_goes_on(running: Chat) -> None:
    source, target, declared = running
    execute(target, "INSERT INTO agent_chat VALUES (900, 'local', 'in the way')")
    execute(source, "INSERT INTO agent_chat VALUES (900, 'a', 'refused')")
    found(declared, "disabled-by-error")
    execute(target, "DELETE FROM agent_chat WHERE id = 900")
    with open_pair(declared) as pair:
        assert [done.name for done in set_up(pair, declared).done] == ["enable"]
    assert compared(declared).equal


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
        outcome = rebuilt(declared)
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


# -- the end --------------------------------------------------------------------------------


def test_teardown_leaves_rows_and_nothing_else(running: Chat) -> None:
    source, target, declared = running
    result = teardown(declared)
    assert [text.split()[0] for text in result.done] == ["subscription", "slot", "publication"]
    assert result.left == []
    with psycopg.connect(source) as ours, psycopg.connect(target) as theirs:
        assert not publications(ours)
        assert not subscriptions(theirs)
        assert declared.slot not in slots(ours)
        assert theirs.execute("SELECT count(*) FROM agent_chat").fetchone() == (100,)
    assert teardown(declared).done == []


def test_teardown_keeps_a_publication_that_another_slot_needs(
    running: Chat, new_database: Callable[..., str]
) -> None:
    _, _, declared = running
    third = new_database("quill")
    execute(third, CHAT)
    other = replace(declared, target=endpoint(third))
    with open_pair(other) as pair:
        set_up(pair, other)
    result = teardown(declared)
    assert any(declared.publication in text and other.slot in text for text in result.left)
    assert status(other).healthy
    assert [text.split()[0] for text in teardown(other).done] == ["subscription", "slot", "publication"]


def test_teardown_without_its_source(running: Chat) -> None:
    _, target, declared = running
    gone = replace(
        declared, source=replace(declared.source, parameters={**declared.source.parameters, "port": "1"})
    )
    seen = status(gone)
    assert "source-unreachable" in [f.name for f in seen.findings]
    result = teardown(gone)
    assert [text.split()[0] for text in result.done] == ["subscription"]
    assert f"SELECT pg_drop_replication_slot('{declared.slot}')" in result.left[0]
    with psycopg.connect(target) as theirs:
        assert not subscriptions(theirs)
    # With the source back, the slot is found and dropped.
    assert f"slot {declared.slot}" in teardown(declared).done[0]


def test_a_read_only_replica_refuses_everybody_but_the_worker(chat: Chat) -> None:
    source, target, declared = chat
    guarded = replace(declared, read_only=True)
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'before')")
    with open_pair(guarded) as pair:
        set_up(pair, guarded)
        execute(
            source,
            "INSERT INTO agent_chat (sender, message) VALUES ('a', 'after')",
            "DELETE FROM agent_chat WHERE id = 1",
        )
        assert compare(pair, guarded)[0].equal
        for statement in (
            "INSERT INTO agent_chat (sender, message) VALUES ('x', 'x')",
            "UPDATE agent_chat SET message = 'x'",
            "DELETE FROM agent_chat",
            "TRUNCATE agent_chat",
        ):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="read-only replica"):
                execute(target, statement)
        execute(target, "ALTER TABLE agent_chat DISABLE TRIGGER novaops_read_only")
        assert "not-read-only" in [f.name for f in status(guarded).findings]
        assert [done.name for done in set_up(pair, guarded).done] == ["read only"]
    teardown(guarded)
    execute(target, "DELETE FROM agent_chat")


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
