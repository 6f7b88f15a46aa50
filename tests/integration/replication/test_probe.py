"""The dry apply: what would stop a worker is seen before anything is made, and nothing stays."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.checks import Scene, preflight
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.pair import open_pair
from novaops.replication.probe import Probe, probe

Chat = tuple[str, str, Replication]
ROW = "INSERT INTO agent_chat (sender, message) VALUES ('nova', 'hello')"


def tried(declared: Replication) -> Probe:
    with open_pair(declared) as pair:
        return probe(Scene.of(pair, declared))


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_row_goes_through_and_nothing_stays(chat: Chat) -> None:
    source, target, declared = chat
    run(source, ROW)
    assert tried(declared) == Probe(("agent_chat",), ())
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)
        mode = connection.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgname = 'trg_notify_agent_chat'"
        ).fetchone()
        assert mode == ("O",)


def test_a_source_without_rows_gets_one_that_is_rolled_back(chat: Chat) -> None:
    source, _, declared = chat
    assert tried(declared).tried == ("agent_chat",)
    with psycopg.connect(source) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)


def test_a_row_that_is_there_already_is_no_obstacle(chat: Chat) -> None:
    for url in chat[:2]:
        run(url, ROW)
    assert tried(chat[2]).tried == ("agent_chat",)


@pytest.mark.parametrize(
    ("body", "said", "remedy"),
    [
        ("EXECUTE 'INSERT INTO audit VALUES (1)'", 'relation "audit" does not exist', "search_path"),
        ("INSERT INTO public.audit VALUES (1), (1)", "duplicate key value violates", "another mode"),
        ("PERFORM pg_notify('chat', repeat('x', 8000))", "payload string too long", "another mode"),
    ],
)
def test_a_function_that_would_stop_the_worker(chat: Chat, body: str, said: str, remedy: str) -> None:
    """Also where no check can see it: a statement that is built as it runs."""
    _, target, declared = chat
    run(
        target,
        "CREATE TABLE audit (id int PRIMARY KEY)",
        f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$",
        "CREATE TRIGGER t AFTER INSERT ON agent_chat FOR EACH ROW EXECUTE FUNCTION f()",
    )
    assert tried(declared).findings == (), "in the mode origin the worker does not fire it"
    table = ReplicatedTable("public", "agent_chat", trigger_modes={"t": "replica"})
    (finding,) = tried(replace(declared, tables=(table,))).findings
    assert (finding.name, finding.severity) == ("probe", "error")
    assert finding.message.startswith(f"the first row of agent_chat would stop the worker: {said}")
    assert finding.detail is not None
    assert "PL/pgSQL function public.f()" in finding.detail
    assert remedy in (finding.remedy or "")


def test_a_check_that_the_target_alone_has(chat: Chat) -> None:
    _, target, declared = chat
    run(target, "ALTER TABLE agent_chat ADD CHECK (sender = 'argus')")
    (finding,) = tried(declared).findings
    assert "violates check constraint" in finding.message


def test_a_locked_table_was_not_tried(chat: Chat) -> None:
    """A lock that lets others read and keeps them from writing."""
    _, target, declared = chat
    unchanged = replace(declared, tables=(ReplicatedTable("public", "agent_chat"),))
    with psycopg.connect(target) as other:
        other.execute("LOCK TABLE agent_chat IN EXCLUSIVE MODE")
        (finding,) = tried(unchanged).findings
    assert (finding.name, finding.severity) == ("probe-locked", "warning")


def test_a_lock_that_keeps_readers_waiting_is_named(chat: Chat) -> None:
    _, target, declared = chat
    with psycopg.connect(target) as other:
        other.execute("LOCK TABLE agent_chat")
        pid = other.info.backend_pid
        with (
            pytest.raises(NovaopsError, match=rf"pid {pid} .*holds a lock on agent_chat of graybeard_"),
            open_pair(declared) as pair,
        ):
            preflight(pair, declared)


def test_who_may_not_act_as_a_worker_is_told(chat: Chat, server_url: str) -> None:
    declared = chat[2]
    run(server_url, "DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN PASSWORD 'plain'")
    endpoint = declared.target
    limited = replace(endpoint, parameters={**endpoint.parameters, "user": "plain"}, password="plain")
    try:
        found = tried(replace(declared, target=limited))
    finally:
        run(server_url, "DROP ROLE plain")
    assert [f.name for f in found.findings] == ["probe-right"]
