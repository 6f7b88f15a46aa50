"""What [[replication]] declares of a database is part of its desired schema: plan, apply and replicate agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from novaops.catalog.write_grants import take, write_grants
from novaops.desired.overlay import Overlay
from novaops.project import Options, Project
from novaops.replication.declaration import Endpoint, Ranges, ReplicatedTable, Replication, Strides
from novaops.replication.overlay import overlay
from novaops.replication.trigger_modes import standings

from .conftest import CHAT

NOVA = Endpoint("nova_memory", {"host": "localhost", "port": "5432"})
TABLES = (ReplicatedTable("public", "agent_chat", trigger_modes={"trg_notify_agent_chat": "always"}),)
DECLARED = Replication("agent_chat", NOVA, NOVA.at("graybeard_memory"), TABLES)
PARTITIONED = """
CREATE TABLE event (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (100);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION f();
"""


@pytest.fixture
def project(new_database: Callable[..., str], tmp_path: Path) -> Callable[..., Project]:
    """`project(sql, overlay)`: of one database, whose files hold that SQL."""
    url = new_database("graybeard")

    def of(
        sql: str, declared: Overlay | None = None, scope: str = "schemas", privileges: str = "auto"
    ) -> Project:
        (tmp_path / "schema.sql").write_text(sql)
        options = Options(overlay=declared, scope=scope, privileges=privileges)
        return Project(url, tmp_path / "schema.sql", options)

    return of


def statements(project: Project) -> list[str]:
    with project:
        return [statement.sql for statement in project.plan().statements]


def target(declared: Replication = DECLARED) -> Overlay:
    found = overlay([declared], declared.target)
    assert found is not None
    return found


# -- which side ---------------------------------------------------------------------------------


def test_each_side_has_its_own() -> None:
    assert target().own == {("subscription", "agent_chat_from_nova")}
    assert [mode.mode for mode in target().modes] == ["always"]
    source = overlay([DECLARED], Endpoint("nova_memory", {"host": "127.0.0.1"}))
    assert source == Overlay(own=frozenset({("publication", "agent_chat_pub")}))
    assert overlay([DECLARED], NOVA.at("quill_memory")) is None
    assert overlay([DECLARED], NOVA.at("graybeard_memory", {"port": "5433"})) is None, "another server"


def test_two_directions_have_both_on_each_side() -> None:
    both = replace(DECLARED, direction="both", keys=Ranges((1, 99), (100, 199)))
    source, there = overlay([both], both.source), target(both)
    assert source is not None
    assert source.own == {("publication", "agent_chat_pub"), ("subscription", "agent_chat_from_graybeard")}
    assert (source.counting[0].limits, there.counting[0].limits) == ((1, 99), (100, 199))
    assert source.modes == there.modes


# -- plan and apply -----------------------------------------------------------------------------


def test_apply_makes_what_is_declared_and_then_there_is_nothing_to_do(
    project: Callable[..., Project],
) -> None:
    with project(CHAT, target()) as first:
        outcome = first.apply()
        assert outcome.left == ()
        assert [s.trigger.mode for s in standings(first.connection, TABLES)] == ["always"]
        assert outcome.rehearsal is not None
        assert outcome.rehearsal["converges"] is True
    assert statements(project(CHAT, target())) == []


def test_modes_that_replicate_has_set_are_kept(project: Callable[..., Project]) -> None:
    with project(CHAT) as first:
        first.apply()
        first.connection.execute("ALTER TABLE agent_chat ENABLE ALWAYS TRIGGER trg_notify_agent_chat")
    assert statements(project(CHAT, target())) == []
    assert statements(project(CHAT)) == ["ALTER TABLE public.agent_chat ENABLE TRIGGER trg_notify_agent_chat"]


def test_a_trigger_that_is_replaced_keeps_its_mode(project: Callable[..., Project]) -> None:
    with project(CHAT, target()) as first:
        first.apply()
    changed = CHAT.replace("AFTER INSERT ON", "AFTER INSERT OR UPDATE ON")
    with project(changed, target()) as second:
        assert second.apply().left == ()
        assert [s.trigger.mode for s in standings(second.connection, TABLES)] == ["always"]


def test_partitions_have_the_mode_as_well(project: Callable[..., Project]) -> None:
    tables = (ReplicatedTable("public", "event", trigger_modes={"t": "replica"}),)
    declared = target(replace(DECLARED, tables=tables))
    with project(PARTITIONED, declared) as first:
        first.apply()
        assert [s.trigger.mode for s in standings(first.connection, tables)] == ["replica", "replica"]
        first.connection.execute("ALTER TABLE ONLY event_1 ENABLE TRIGGER t")
    assert statements(project(PARTITIONED, declared)) == [
        "ALTER TABLE public.event_1 ENABLE REPLICA TRIGGER t"
    ]


def test_sequences_count_as_two_directions_need(project: Callable[..., Project]) -> None:
    both = replace(DECLARED, direction="both", keys=Strides())
    with project(CHAT, target(both)) as first:
        first.apply()
        row = first.connection.execute(
            "SELECT seqincrement FROM pg_sequence WHERE seqrelid = 'agent_chat_id_seq'::regclass"
        ).fetchone()
        assert row == (2,)
    assert statements(project(CHAT, target(both))) == []


def test_publications_and_subscriptions_are_left_alone(project: Callable[..., Project]) -> None:
    source = overlay([DECLARED], DECLARED.source)
    with project(CHAT) as first:
        first.apply()
        first.connection.execute("CREATE PUBLICATION agent_chat_pub FOR TABLE agent_chat")
        first.connection.execute("CREATE PUBLICATION another FOR TABLE agent_chat")
    made = project(CHAT, source, "database")
    assert statements(made) == ["DROP PUBLICATION another"]
    with made:
        assert made.plan().skipped == (), "nobody ignores it: it is novaops' own"


GRANTS = """
GRANT SELECT, INSERT, TRUNCATE ON agent_chat TO PUBLIC;
GRANT UPDATE (message), SELECT (id) ON agent_chat TO pg_monitor WITH GRANT OPTION;
"""


@pytest.mark.parametrize("privileges", ["auto", "managed"])
def test_rights_that_a_read_only_replica_refuses_are_not_given(
    project: Callable[..., Project], privileges: str
) -> None:
    """Neither to a table that is made, nor back to one that replicate has taken them from."""
    guarded = target(replace(DECLARED, read_only=True))
    with project(CHAT + GRANTS) as first:
        first.apply()
    # Where nothing else is granted on a column, auto looks no more: what replicate finds, and status.
    column = ["REVOKE UPDATE(message) ON TABLE public.agent_chat FROM pg_monitor"]
    assert sorted(statements(project(CHAT + GRANTS, guarded, privileges=privileges))) == [
        "ALTER TABLE public.agent_chat ENABLE ALWAYS TRIGGER trg_notify_agent_chat",
        "REVOKE INSERT, TRUNCATE ON TABLE public.agent_chat FROM PUBLIC",
        *(column if privileges == "managed" else []),
    ]
    with project(CHAT + GRANTS, guarded, privileges=privileges) as second:
        take(second.connection, [("public", "agent_chat")])
        second.connection.execute("ALTER TABLE agent_chat ENABLE ALWAYS TRIGGER trg_notify_agent_chat")
        assert second.plan().statements == ()
        rest = second.connection.execute(
            "SELECT array_agg(DISTINCT a.privilege_type) FROM pg_class c, aclexplode(c.relacl) a"
            " WHERE c.oid = 'agent_chat'::regclass AND a.grantee <> c.relowner"
        ).fetchone()
        assert rest == (["SELECT"],)


def test_so_do_partitions_that_the_files_make(project: Callable[..., Project]) -> None:
    declared = target(replace(DECLARED, tables=(ReplicatedTable("public", "event"),), read_only=True))
    sql = PARTITIONED + "GRANT ALL ON event, event_1 TO PUBLIC;"
    with project(sql, declared) as first:
        assert first.apply().left == ()
        assert write_grants(first.connection, [("public", "event")]) == []
    assert statements(project(sql, declared)) == []


def test_a_trigger_that_the_files_lack_is_a_warning(project: Callable[..., Project]) -> None:
    with project("CREATE TABLE agent_chat (id int PRIMARY KEY);", target()) as lacking:
        assert lacking.plan().notices == (
            "novaops.toml:1: warning: mode always is declared for trigger trg_notify_agent_chat of public.agent_chat,"
            " which the files do not declare",
        )
