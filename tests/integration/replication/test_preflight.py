"""The pre-flight: which databases, other replications, and what a role may not look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg
import pytest

from novaops.replication.declaration import Endpoint
from novaops.replication.pair import open_pair

from .acting import Chat, errors, execute, look
from .conftest import endpoint


def test_nothing_is_wrong(chat: Chat) -> None:
    found = look(chat[2])
    assert errors(chat[2]) == []
    assert (
        found["same-server"].message
        == "both databases are on one server: the slot is made before the subscription"
    )
    assert found["trigger-mode"].message == (
        "trg_notify_agent_chat on agent_chat is in the mode origin, declared is always"
    )


def test_it_changes_nothing(chat: Chat) -> None:
    state = "SELECT (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_class)"
    with (
        psycopg.connect(chat[0], autocommit=True) as source,
        psycopg.connect(chat[1], autocommit=True) as target,
    ):
        before = [connection.execute(state).fetchone() for connection in (source, target)]
        look(chat[2])
        assert [connection.execute(state).fetchone() for connection in (source, target)] == before


# -- identity ----------------------------------------------------------------------------------


def test_a_database_and_itself_under_another_address(chat: Chat) -> None:
    source, _, declared = chat
    itself = endpoint(source)
    other_name = Endpoint(itself.database, {**itself.parameters, "host": "localhost"})
    found = look(replace(declared, target=other_name))
    assert set(found) == {"same-database"}
    assert found["same-database"].severity == "error"


def test_two_servers(
    chat: Chat, other_database: str, for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    declared = replace(chat[2], target=endpoint(other_database))
    found = look(declared)
    assert "same-server" not in found
    assert found["target-table"].message == "the target other has no table agent_chat"
    wrong = replace(declared, server_conninfo=for_servers(other_database))
    assert look(wrong)["server-reach"].severity == "note", "it lacks a database of that name"
    execute(other_database, f"CREATE DATABASE {endpoint(chat[0]).database}")
    assert "is another server than" in look(wrong)["server-reach"].message
    execute(other_database, f"DROP DATABASE {endpoint(chat[0]).database}")


def test_two_directions(chat: Chat) -> None:
    both = replace(chat[2], direction="both")
    with open_pair(both) as pair:
        major = pair.source.identity.major
    assert ("two-way-version" in errors(both)) == (major < 16)


# -- other replications ------------------------------------------------------------------------


def test_the_name_of_the_slot_is_taken(chat: Chat, server_url: str) -> None:
    declared = replace(chat[2], names={"slot": "taken_slot"})
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot('taken_slot', 'pgoutput')")
        try:
            found = look(declared)["slot-name"]
        finally:
            connection.execute("SELECT pg_drop_replication_slot('taken_slot')")
    assert found.severity == "error"
    assert "is another one (of database" in found.message


def test_an_orphan_slot_is_named(chat: Chat) -> None:
    source, _, declared = chat
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [declared.slot])
        found = look(declared)["orphan-slot"]
        assert found.remedy is not None
        connection.execute(found.remedy)
    assert found.message.startswith(f"nobody reads the slot {declared.slot} of ")
    assert "orphan-slot" not in look(declared)


def test_a_slot_that_another_server_may_need_is_not_dropped(chat: Chat) -> None:
    source, _, declared = chat
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot('of_a_third_server', 'pgoutput')")
        try:
            remedy = look(declared)["orphan-slot"].remedy or ""
            assert "pg_drop_replication_slot" not in remedy
            assert connection.execute(remedy.partition(": ")[2]).fetchall() == []
        finally:
            connection.execute("SELECT pg_drop_replication_slot('of_a_third_server')")


@pytest.fixture
def back(chat: Chat, for_servers: Callable[[str], Mapping[str, str]]) -> str:
    """A replication of agent_chat from the target to the source, which is not enabled; its name."""
    source, target, _ = chat
    known = {**for_servers(target), "dbname": endpoint(target).database}
    conninfo = " ".join(f"{name}={value}" for name, value in known.items())
    execute(
        target,
        "CREATE PUBLICATION back FOR TABLE agent_chat",
        f"SELECT pg_create_logical_replication_slot('back_{endpoint(source).database}', 'pgoutput')",
    )
    execute(
        source,
        f"CREATE SUBSCRIPTION back CONNECTION '{conninfo}' PUBLICATION back"
        f" WITH (create_slot = false, slot_name = 'back_{endpoint(source).database}', enabled = false)",
    )
    return "back"


def test_rows_that_would_come_back(chat: Chat, back: str) -> None:
    found = look(chat[2])["reverse-publication"]
    assert found.severity == "error"
    assert found.message == (
        "agent_chat is replicated from the target to the source already, by subscription back from publication back"
    )
    assert "reverse-publication" not in look(replace(chat[2], direction="both"))


def test_a_table_that_another_subscription_fills(chat: Chat, back: str) -> None:
    _source, _target, declared = chat
    again = replace(declared, source=declared.target, target=declared.source)
    found = look(again)["subscribed-already"]
    assert found.message == "subscription back fills agent_chat on the target already"


def test_the_name_of_the_subscription_is_taken(chat: Chat, back: str) -> None:
    again = replace(chat[2], source=chat[2].target, target=chat[2].source, names={"subscription": back})
    assert "subscribes to back, not to agent_chat_pub" in look(again)["subscription-name"].message


def test_an_open_transaction_delays_the_slot(chat: Chat) -> None:
    _source, target, declared = chat
    with psycopg.connect(target) as other:
        other.execute("INSERT INTO agent_chat (sender, message) VALUES ('nova', 'not yet')")
        other.execute("SELECT pg_sleep(1.1)")
        found = look(declared)["open-transaction"]
        pid = other.info.backend_pid
        other.rollback()
    assert found.severity == "warning"
    assert found.message.startswith(f"pid {pid} (postgres, idle in transaction) in graybeard_")
    assert found.remedy == f"SELECT pg_terminate_backend({pid})"


def test_what_a_role_may_not_look_at_is_no_pass(chat: Chat, server_url: str) -> None:
    """A role that may read the tables and nothing else: every check says something, or was made."""
    source, target, declared = chat
    execute(server_url, "DROP ROLE IF EXISTS onlooker", "CREATE ROLE onlooker LOGIN PASSWORD 'look'")
    for url in (source, target):
        execute(url, "GRANT SELECT ON agent_chat TO onlooker")

    def seen_by(reached: Endpoint) -> Endpoint:
        return replace(reached, parameters={**reached.parameters, "user": "onlooker"}, password="look")

    try:
        with psycopg.connect(source) as other:
            other.execute("SELECT pg_current_xact_id()")
            found = look(replace(declared, source=seen_by(declared.source), target=seen_by(declared.target)))
    finally:
        for url in (source, target):
            execute(url, "DROP OWNED BY onlooker")
        execute(server_url, "DROP ROLE onlooker")
    assert "open since a time that takes pg_read_all_stats to see" in found["open-transaction"].message
    assert found["sequence-behind"].severity == "warning"
    assert (
        found["sequence-behind"].message == "not looked at: permission denied for sequence agent_chat_id_seq"
    )
    assert {"publication-right", "subscription-right"} <= {
        f.name for f in found.values() if f.severity == "error"
    }
