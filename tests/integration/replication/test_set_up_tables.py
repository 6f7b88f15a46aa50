"""Tables that a set-up makes, adds or alters: those that the target lacks, partitions, filters, the project's own schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable, Replication, TriggerMode
from novaops.replication.pair import open_pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.proof.compare import compare

from .acting import Chat, clean, names, run, write
from .conftest import CHAT, replication


def test_missing_tables_and_columns_are_made_as_on_the_source(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(CHAT)
        connection.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
        connection.execute(
            "CREATE TABLE other (id int PRIMARY KEY, mood mood NOT NULL DEFAULT 'good', note text)"
        )
        connection.execute("INSERT INTO other VALUES (1, 'bad', 'x')")
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE TABLE other (id int PRIMARY KEY, note text)")
    write(source, 5)
    chat_table = ReplicatedTable("public", "agent_chat", trigger_modes={"trg_notify_agent_chat": "always"})
    declared = replication(
        source, target, for_servers(source), chat_table, ReplicatedTable("public", "other")
    )
    outcome = run(declared)
    assert names(outcome)[0] == "tables"
    assert outcome.done[0].text == "made agent_chat, other.mood as on the source"
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (5,)
        assert connection.execute("SELECT mood::text FROM other").fetchone() == ("bad",)
    assert run(declared).done == ()


def test_tables_that_were_made_go_when_it_fails(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(CHAT)
    declared = replication(source, target, {**for_servers(source), "port": "1"})
    with pytest.raises(NovaopsError, match="could not be made"):
        run(declared)
    assert clean(source, target, declared)
    with psycopg.connect(target) as connection:
        assert connection.execute(
            "SELECT to_regclass('agent_chat'), to_regproc('notify_agent_chat')"
        ).fetchone() == (
            None,
            None,
        )


def test_a_table_more_joins_a_replication_that_runs(chat: Chat) -> None:
    source, target, declared = chat
    run(declared)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE TABLE more (id int PRIMARY KEY); INSERT INTO more VALUES (1), (2)")
    wider = Replication(
        declared.name, declared.source, declared.target, (*declared.tables, ReplicatedTable("public", "more")),
        server_conninfo=declared.server_conninfo,
    )  # fmt: skip
    outcome = run(wider)
    assert {"tables", "publication", "refresh"} <= set(names(outcome))
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM more").fetchone() == (2,)
    assert run(wider).done == ()


def test_filters_and_columns_are_altered_in_place(chat: Chat) -> None:
    source, _, declared = chat
    run(declared)
    with psycopg.connect(source, autocommit=True) as connection:
        before = connection.execute("SELECT oid FROM pg_publication").fetchall()
    table = ReplicatedTable(
        "public", "agent_chat", ("id", "sender", "message"), "id > 0", declared.tables[0].trigger_modes
    )
    narrower = Replication(
        declared.name, declared.source, declared.target, (table,), server_conninfo=declared.server_conninfo
    )
    assert names(run(narrower)) == ["publication"]
    assert run(narrower).done == ()
    with psycopg.connect(source, autocommit=True) as connection:
        assert connection.execute("SELECT oid FROM pg_publication").fetchall() == before


def test_partitions_are_sent_as_their_parent(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url, parts in ((source, 3), (target, 1)):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, kind text) PARTITION BY RANGE (id)")
            for part in range(parts):
                width = 300 // parts
                connection.execute(
                    f"CREATE TABLE t_{part} PARTITION OF t FOR VALUES FROM ({part * width}) TO ({(part + 1) * width})"
                )
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO t SELECT g, CASE WHEN g % 3 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 299) g"
        )
    table = ReplicatedTable("public", "t", row_filter="id >= 10")
    declared = replication(source, target, for_servers(source), table)
    run(declared)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("DELETE FROM t WHERE id BETWEEN 100 AND 150")
    with open_pair(declared) as pair:
        # Counts are those of the first look, which the DELETE may not have reached.
        assert barrier(pair, declared, timedelta(seconds=30)).passed
        (compared,) = compare(pair, declared)
    assert (compared.equal, compared.source_rows, compared.target_rows) == (True, 239, 239)
    assert run(declared).done == ()


SCHEMA = Path(__file__).parents[3] / "schema/schema.sql"


@pytest.mark.extension("vector")
def test_the_projects_own_schema_on_both_sides(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA.read_text())
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("INSERT INTO agents (name, access_method) VALUES ('nova', 'cli')")
        connection.execute(
            "INSERT INTO agent_chat (sender, message, recipients) VALUES ('nova', 'old', '{graybeard}')"
        )
    modes: dict[str, TriggerMode] = {"trg_notify_agent_chat": "always", "trg_embed_chat_message": "replica"}
    declared = replication(
        source, target, for_servers(source), ReplicatedTable("public", "agent_chat", trigger_modes=modes)
    )
    outcome = run(declared)
    assert outcome.proof is not None
    assert [sentinel.heard for sentinel in outcome.proof.sentinels] == [True]
    assert run(declared).done == ()
    with psycopg.connect(target) as connection:
        # That of the message, and none of the row of the proof.
        assert connection.execute("SELECT content FROM memory_embeddings").fetchall() == [("old",)]
