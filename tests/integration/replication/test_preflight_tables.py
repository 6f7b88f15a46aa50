"""The pre-flight: tables, their columns, rows and triggers on both sides."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable
from tests.conftest import drop_database

from .acting import CONSENT, Chat, errors, execute, look, tables
from .conftest import CHAT, replication


@pytest.fixture(scope="module")
def two_databases(server_url: str, database_url: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    names = [f"{name}_{secrets.token_hex(5)}" for name in ("nova", "graybeard")]
    for name in names:
        execute(server_url, f"CREATE DATABASE {name} TEMPLATE template0")
    yield database_url(names[0]), database_url(names[1])
    for name in names:
        drop_database(server_url, name)


@pytest.fixture
def shapes(two_databases: tuple[str, str]) -> Iterator[Chat]:
    """Like `chat`, in databases that are made once for all differences of columns."""
    for url in two_databases:
        execute(url, CHAT)
    yield (*two_databases, replication(*two_databases, {}))
    for url in two_databases:
        execute(url, "DROP TABLE agent_chat", "DROP FUNCTION notify_agent_chat()")


def test_tables_that_are_not_there(chat: Chat) -> None:
    source, _, declared = chat
    assert errors(tables(declared, ReplicatedTable("public", "nothing"))) == ["source-table"]
    execute(
        source,
        "CREATE TABLE more (id int PRIMARY KEY)",
        "CREATE VIEW v AS SELECT 1 AS id",
        "CREATE UNLOGGED TABLE u (id int PRIMARY KEY)",
    )
    found = look(tables(declared, ReplicatedTable("public", "more")))
    assert (found["target-table"].severity, found["target-table"].remedy) == (
        "note",
        "the set-up makes it, from the source's definition",
    )
    assert errors(tables(declared, ReplicatedTable("public", "v"))) == ["source-table"]
    assert errors(tables(declared, ReplicatedTable("public", "u"))) == ["source-table"]


def test_no_replica_identity(chat: Chat) -> None:
    source, target, declared = chat
    for url in (source, target):
        execute(url, "CREATE TABLE log (at timestamptz, text text)")
    declared = tables(declared, ReplicatedTable("public", "log"))
    assert errors(declared) == ["replica-identity", "target-key"]
    execute(source, "ALTER TABLE log REPLICA IDENTITY FULL")
    assert errors(declared) == []
    assert look(declared)["target-key"].severity == "warning"


def test_columns_and_filter_leave_the_identity_out(chat: Chat) -> None:
    columns = look(tables(chat[2], ReplicatedTable("public", "agent_chat", columns=("sender", "message"))))
    assert (
        columns["replica-identity"].message
        == "the columns of agent_chat leave out id, which is its replica identity"
    )
    filtered = look(tables(chat[2], ReplicatedTable("public", "agent_chat", row_filter="sender = 'nova'")))
    assert filtered["replica-identity"].message == (
        "the filter of agent_chat reads sender, which is not in its replica identity"
    )
    assert errors(tables(chat[2], ReplicatedTable("public", "agent_chat", row_filter="id > 100"))) == []
    unknown = tables(
        chat[2], ReplicatedTable("public", "agent_chat", columns=("id", "sender", "message", "colour"))
    )
    assert errors(unknown) == ["source-columns"]


def test_a_partition_without_identity(chat: Chat) -> None:
    source, _, declared = chat
    execute(
        source,
        "CREATE TABLE event (id int, region text) PARTITION BY LIST (region)",
        "CREATE TABLE event_eu PARTITION OF event FOR VALUES IN ('eu')",
        "CREATE TABLE event_us PARTITION OF event (PRIMARY KEY (id)) FOR VALUES IN ('us')",
    )
    found = look(tables(declared, ReplicatedTable("public", "event")))
    assert found["replica-identity"].message == "public.event_eu on the source has no replica identity"


@pytest.mark.parametrize(
    ("on_source", "on_target", "name", "severity"),
    [
        ("ADD extra text", "", "column-missing", "note"),
        ("", "ADD own text", "column-extra", "note"),
        ("", "ADD own text NOT NULL", "column-extra", "error"),
        ("ADD n bigint", "ADD n int", "column-type", "error"),
        ("ADD n int", "ADD n bigint", "column-type", "note"),
        ("ADD n varchar(20)", "ADD n varchar(10)", "column-type", "error"),
        ("ADD n text", "ADD n text NOT NULL", "column-not-null", "warning"),
        ("ADD n int", "ADD n int GENERATED ALWAYS AS (1) STORED", "column-generated", "error"),
        ("ADD n int GENERATED ALWAYS AS (1) STORED", "ADD n int", "column-generated", "warning"),
        ("ADD n int GENERATED ALWAYS AS (1) STORED", "ADD n int NOT NULL", "column-generated", "error"),
        ("ADD n int DEFAULT 1", "ADD n int DEFAULT 2", "column-default", "note"),
    ],
)
def test_a_difference_of_columns(
    shapes: Chat, on_source: str, on_target: str, name: str, severity: str
) -> None:
    source, target, declared = shapes
    for url, change in ((source, on_source), (target, on_target)):
        if change:
            execute(url, f"ALTER TABLE agent_chat {change}")
    found = look(declared)
    assert found[name].severity == severity
    assert [f.name for f in found.values() if f.severity == "error"] == (
        [name] if severity == "error" else []
    )


def test_a_null_that_the_target_refuses(chat: Chat) -> None:
    source, _target, declared = chat
    execute(
        source,
        "ALTER TABLE agent_chat ALTER message DROP NOT NULL",
        "INSERT INTO agent_chat (sender) VALUES ('nova')",
    )
    assert errors(declared) == ["column-not-null"]


def test_labels_that_the_target_lacks(chat: Chat) -> None:
    source, target, declared = chat
    execute(source, "CREATE TYPE mood AS ENUM ('good', 'bad')", "ALTER TABLE agent_chat ADD mood mood")
    execute(target, "CREATE TYPE mood AS ENUM ('good')", "ALTER TABLE agent_chat ADD mood mood")
    found = look(declared)["enum-labels"]
    assert found.severity == "error"
    assert found.remedy == "ALTER TYPE public.mood ADD VALUE 'bad' on the target"


# -- rows --------------------------------------------------------------------------------------


def test_rows_that_are_there_already(chat: Chat) -> None:
    source, target, declared = chat
    row = "INSERT INTO agent_chat (sender, message) VALUES ('nova', 'hello')"
    execute(source, row, row)
    execute(target, row)
    found = look(declared)
    assert found["existing-rows"].severity == "note"
    assert errors(declared) == []
    execute(target, row, row, "DELETE FROM agent_chat WHERE id = 2")
    lost = look(declared)["data-loss"]
    to = declared.target.database
    assert lost.severity == "error"
    assert lost.message == f"rows of {to} would be lost: agent_chat: 1 row deleted"
    assert lost.detail == "deleted: id 3; of the 10,000 highest keys"
    assert f"novaops replicate --to {to} --allow data-loss:public.agent_chat" in (lost.remedy or "")
    assert look(declared, CONSENT)["data-loss"].severity == "note"
    assert "data-loss" not in look(replace(declared, direction="both"))
    execute(target, "UPDATE agent_chat SET message = 'mine' WHERE id = 1")
    assert look(declared)["data-loss"].message == (
        f"rows of {to} would be lost: agent_chat: 1 row overwritten, 1 row deleted"
    )
    assert "data-loss" in look(replace(declared, direction="both"))
    assert "data-loss" not in look(replace(declared, direction="both").reversed())


def test_keys_of_another_type_and_a_table_that_is_locked(chat: Chat) -> None:
    source, target, declared = chat
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('nova', 'hello')")
    execute(
        target,
        "ALTER TABLE agent_chat ALTER id DROP DEFAULT, ALTER id TYPE text",
        "INSERT INTO agent_chat VALUES ('no number', 'nova', 'hello')",
    )
    assert look(declared)["data-loss"].message == (
        "not looked at: the target's keys of agent_chat are none of the source's type"
    )
    assert look(declared)["data-loss"].severity == "warning"
    with psycopg.connect(target) as other:
        other.execute("LOCK TABLE agent_chat")
        with pytest.raises(NovaopsError, match="holds a lock on agent_chat"):
            look(declared)


def test_keys_that_are_taken_where_no_rows_are_copied(chat: Chat) -> None:
    _, target, declared = chat
    execute(target, "INSERT INTO agent_chat (sender, message) VALUES ('graybeard', 'mine')")
    found = look(replace(declared, copy="none"))
    assert "data-loss" not in found, "nothing is deleted there"
    assert found["key-overlap"].severity == "error"
    assert found["key-overlap"].message == "agent_chat on the target has rows that the source lacks: id 1"


def test_a_sequence_that_stays_behind(chat: Chat) -> None:
    source, _, declared = chat
    execute(
        source,
        "INSERT INTO agent_chat (sender, message) SELECT 'nova', n::text FROM generate_series(1, 20) AS n",
    )
    found = look(declared)["sequence-behind"]
    assert (found.severity, found.remedy) == (
        "note",
        f"novaops replicate sequences --to {declared.target.database}, when the target is to take rows of its own",
    )
    assert (
        found.message
        == "sequence agent_chat_id_seq of the target is at 1, the keys of agent_chat go up to 20"
    )


# -- functions of triggers ---------------------------------------------------------------------

UNQUALIFIED = """
CREATE TABLE audit (id int);
CREATE FUNCTION audit_chat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A comment that names nothing.
    INSERT INTO audit VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER trg_audit AFTER INSERT ON agent_chat FOR EACH ROW EXECUTE FUNCTION audit_chat();
"""


def test_a_function_that_names_a_table_without_its_schema(chat: Chat) -> None:
    _, target, declared = chat
    execute(target, UNQUALIFIED)
    assert errors(declared) == [], "in the mode origin replicated rows do not fire it"
    fires = tables(declared, ReplicatedTable("public", "agent_chat", trigger_modes={"trg_audit": "always"}))
    found = look(fires)["trigger-search-path"]
    assert found.severity == "error"
    assert found.message == (
        "public.audit_chat(), which trg_audit runs for replicated rows, names audit (of public) without a schema"
    )
    assert found.remedy is not None
    execute(target, found.remedy)
    assert errors(fires) == []


def test_a_trigger_on_one_partition_only(chat: Chat) -> None:
    source, target, declared = chat
    for url in (source, target):
        execute(
            url,
            "CREATE TABLE event (id int PRIMARY KEY) PARTITION BY RANGE (id)",
            "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (100)",
        )
    execute(
        target,
        UNQUALIFIED.replace("agent_chat FOR", "event_1 FOR"),
        "ALTER TABLE event_1 ENABLE REPLICA TRIGGER trg_audit",
    )
    assert errors(tables(declared, ReplicatedTable("public", "event"))) == ["trigger-search-path"]


def test_a_trigger_that_swallows_rows(chat: Chat) -> None:
    _, target, declared = chat
    execute(
        target,
        "CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER trg_drop BEFORE INSERT ON agent_chat FOR EACH ROW EXECUTE FUNCTION drop_row()",
        "ALTER TABLE agent_chat ENABLE ALWAYS TRIGGER trg_drop",
    )
    assert look(declared)["trigger-before"].severity == "warning"


def test_a_trigger_that_is_not_there(chat: Chat) -> None:
    declared = tables(
        chat[2], ReplicatedTable("public", "agent_chat", trigger_modes={"trg_embed": "replica"})
    )
    assert errors(declared) == ["trigger-missing"]
