"""The pre-flight: every failure that can be known before anything is made, provoked."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import psycopg
import pytest

from novaops.replication.checks import preflight
from novaops.replication.declaration import Endpoint, ReplicatedTable, Replication
from novaops.replication.finding import Finding
from novaops.replication.pair import open_pair
from tests.conftest import drop_database

from .conftest import CHAT, endpoint, replication

Chat = tuple[str, str, Replication]


def look(declared: Replication) -> dict[str, Finding]:
    """The findings by name; of several of one name the first."""
    with open_pair(declared) as pair:
        found = preflight(pair, declared).findings
    return {finding.name: finding for finding in reversed(found)}


def errors(declared: Replication) -> list[str]:
    return sorted(finding.name for finding in look(declared).values() if finding.severity == "error")


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def tables(declared: Replication, table: ReplicatedTable) -> Replication:
    return replace(declared, tables=(table,))


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


# -- identity -----------------------------------------------------------------------------------


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
    run(other_database, f"CREATE DATABASE {endpoint(chat[0]).database}")
    assert "is another server than" in look(wrong)["server-reach"].message
    run(other_database, f"DROP DATABASE {endpoint(chat[0]).database}")


def test_two_directions(chat: Chat) -> None:
    both = replace(chat[2], direction="both")
    with open_pair(both) as pair:
        major = pair.source.identity.major
    assert ("two-way-version" in errors(both)) == (major < 16)


# -- rights -------------------------------------------------------------------------------------


@pytest.fixture
def reader(server_url: str) -> Iterator[str]:
    run(server_url, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    yield "reader"
    with psycopg.connect(server_url, autocommit=True) as connection:
        for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^nova_'"
        ).fetchall():
            run(psycopg.conninfo.make_conninfo(server_url, dbname=name), "DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_no_replication_and_no_select(chat: Chat, reader: str) -> None:
    source, _, declared = chat
    declared = replace(declared, server_conninfo={**declared.server_conninfo, "user": reader})
    found = look(declared)
    assert found["replication-role"].message.startswith("role reader on ")
    assert found["replication-role"].remedy == "ALTER ROLE reader REPLICATION"
    assert found["select-right"].remedy == "GRANT SELECT ON public.agent_chat TO reader"
    run(source, "ALTER ROLE reader REPLICATION", "GRANT SELECT ON agent_chat TO reader")
    assert errors(declared) == []


def test_a_role_that_is_missing_or_to_be_made(chat: Chat) -> None:
    declared = replace(chat[2], server_conninfo={**chat[2].server_conninfo, "user": "nobody_here"})
    assert errors(declared) == ["replication-role"]
    assert errors(replace(declared, role="nobody_here")) == [], "the set-up makes it"


def test_a_role_that_only_a_service_file_of_the_server_names(chat: Chat) -> None:
    declared = replace(chat[2], server_conninfo={"service": "of_the_server"})
    assert errors(declared) == [], "whether it may is not known here"


def test_row_level_security_hides_rows(chat: Chat, reader: str) -> None:
    source, _, declared = chat
    run(
        source,
        "ALTER ROLE reader REPLICATION",
        "GRANT SELECT ON agent_chat TO reader",
        "ALTER TABLE agent_chat ENABLE ROW LEVEL SECURITY",
    )
    assert errors(declared) == [], "a superuser is exempt"
    declared = replace(declared, server_conninfo={**declared.server_conninfo, "user": reader})
    found = look(declared)
    assert errors(declared) == ["row-security"]
    assert (
        found["row-security"].message
        == "row-level security of public.agent_chat on the source hides rows from role reader"
    )


@pytest.fixture(scope="module")
def two_databases(server_url: str, database_url: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    names = [f"{name}_{secrets.token_hex(5)}" for name in ("nova", "graybeard")]
    for name in names:
        run(server_url, f"CREATE DATABASE {name} TEMPLATE template0")
    yield database_url(names[0]), database_url(names[1])
    for name in names:
        drop_database(server_url, name)


@pytest.fixture
def shapes(two_databases: tuple[str, str]) -> Iterator[Chat]:
    """Like `chat`, in databases that are made once for all differences of columns."""
    for url in two_databases:
        run(url, CHAT)
    yield (*two_databases, replication(*two_databases, {}))
    for url in two_databases:
        run(url, "DROP TABLE agent_chat", "DROP FUNCTION notify_agent_chat()")


# -- tables and their shape ---------------------------------------------------------------------


def test_tables_that_are_not_there(chat: Chat) -> None:
    source, _, declared = chat
    assert errors(tables(declared, ReplicatedTable("public", "nothing"))) == ["source-table"]
    run(
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
        run(url, "CREATE TABLE log (at timestamptz, text text)")
    declared = tables(declared, ReplicatedTable("public", "log"))
    assert errors(declared) == ["replica-identity", "target-key"]
    run(source, "ALTER TABLE log REPLICA IDENTITY FULL")
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
    run(
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
            run(url, f"ALTER TABLE agent_chat {change}")
    found = look(declared)
    assert found[name].severity == severity
    assert [f.name for f in found.values() if f.severity == "error"] == (
        [name] if severity == "error" else []
    )


def test_a_null_that_the_target_refuses(chat: Chat) -> None:
    source, _target, declared = chat
    run(
        source,
        "ALTER TABLE agent_chat ALTER message DROP NOT NULL",
        "INSERT INTO agent_chat (sender) VALUES ('nova')",
    )
    assert errors(declared) == ["column-not-null"]


def test_labels_that_the_target_lacks(chat: Chat) -> None:
    source, target, declared = chat
    run(source, "CREATE TYPE mood AS ENUM ('good', 'bad')", "ALTER TABLE agent_chat ADD mood mood")
    run(target, "CREATE TYPE mood AS ENUM ('good')", "ALTER TABLE agent_chat ADD mood mood")
    found = look(declared)["enum-labels"]
    assert found.severity == "error"
    assert found.remedy == "ALTER TYPE public.mood ADD VALUE 'bad' on the target"


# -- rows ---------------------------------------------------------------------------------------


def test_rows_that_are_there_already(chat: Chat) -> None:
    source, target, declared = chat
    row = "INSERT INTO agent_chat (sender, message) VALUES ('nova', 'hello')"
    run(source, row, row)
    run(target, row)
    found = look(declared)
    assert found["existing-rows"].severity == "note"
    assert errors(declared) == []
    run(target, row, row, "DELETE FROM agent_chat WHERE id = 2")
    overlap = look(declared)["key-overlap"]
    assert overlap.severity == "error"
    assert overlap.message == "agent_chat on the target has rows that the source lacks: id 3"
    assert "key-overlap" not in look(replace(declared, direction="both"))


def test_a_sequence_that_stays_behind(chat: Chat) -> None:
    source, _, declared = chat
    run(
        source,
        "INSERT INTO agent_chat (sender, message) SELECT 'nova', n::text FROM generate_series(1, 20) AS n",
    )
    found = look(declared)["sequence-behind"]
    assert (found.severity, found.remedy) == (
        "note",
        "novaops replicate sequences, when the target is to take rows of its own",
    )
    assert (
        found.message
        == "sequence agent_chat_id_seq of the target is at 1, the keys of agent_chat go up to 20"
    )


# -- functions of triggers ----------------------------------------------------------------------

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
    run(target, UNQUALIFIED)
    assert errors(declared) == [], "in the mode origin replicated rows do not fire it"
    fires = tables(declared, ReplicatedTable("public", "agent_chat", trigger_modes={"trg_audit": "always"}))
    found = look(fires)["trigger-search-path"]
    assert found.severity == "error"
    assert found.message == (
        "public.audit_chat(), which trg_audit runs for replicated rows, names audit (of public) without a schema"
    )
    assert found.remedy is not None
    run(target, found.remedy)
    assert errors(fires) == []


def test_a_trigger_on_one_partition_only(chat: Chat) -> None:
    source, target, declared = chat
    for url in (source, target):
        run(
            url,
            "CREATE TABLE event (id int PRIMARY KEY) PARTITION BY RANGE (id)",
            "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (100)",
        )
    run(
        target,
        UNQUALIFIED.replace("agent_chat FOR", "event_1 FOR"),
        "ALTER TABLE event_1 ENABLE REPLICA TRIGGER trg_audit",
    )
    assert errors(tables(declared, ReplicatedTable("public", "event"))) == ["trigger-search-path"]


def test_a_trigger_that_swallows_rows(chat: Chat) -> None:
    _, target, declared = chat
    run(
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


# -- other replications -------------------------------------------------------------------------


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


@pytest.fixture
def back(chat: Chat, for_servers: Callable[[str], Mapping[str, str]]) -> str:
    """A replication of agent_chat from the target to the source, which is not enabled; its name."""
    source, target, _ = chat
    known = {**for_servers(target), "dbname": endpoint(target).database}
    conninfo = " ".join(f"{name}={value}" for name, value in known.items())
    run(
        target,
        "CREATE PUBLICATION back FOR TABLE agent_chat",
        f"SELECT pg_create_logical_replication_slot('back_{endpoint(source).database}', 'pgoutput')",
    )
    run(
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
    run(server_url, "DROP ROLE IF EXISTS onlooker", "CREATE ROLE onlooker LOGIN PASSWORD 'look'")
    for url in (source, target):
        run(url, "GRANT SELECT ON agent_chat TO onlooker")

    def seen_by(reached: Endpoint) -> Endpoint:
        return replace(reached, parameters={**reached.parameters, "user": "onlooker"}, password="look")

    try:
        with psycopg.connect(source) as other:
            other.execute("SELECT pg_current_xact_id()")
            found = look(replace(declared, source=seen_by(declared.source), target=seen_by(declared.target)))
    finally:
        for url in (source, target):
            run(url, "DROP OWNED BY onlooker")
        run(server_url, "DROP ROLE onlooker")
    assert "open since a time that takes pg_read_all_stats to see" in found["open-transaction"].message
    assert found["sequence-behind"].severity == "warning"
    assert (
        found["sequence-behind"].message == "not looked at: permission denied for sequence agent_chat_id_seq"
    )
    assert {"publication-right", "subscription-right"} <= {
        f.name for f in found.values() if f.severity == "error"
    }
