"""An empty target gets what the worker needs: the tables, and what the triggers name that fire for replicated rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable, Replication, TriggerMode
from novaops.replication.pair import open_pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.set_up import Outcome, set_up
from tests.integration.replication.conftest import CHAT, replication

SCHEMA = Path(__file__).parents[3] / "schema" / "schema.sql"
SEEN = """
CREATE SEQUENCE steps;
CREATE TABLE seen (id int PRIMARY KEY, step bigint);
CREATE TABLE elsewhere (id int PRIMARY KEY);
CREATE FUNCTION touch_elsewhere() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO public.elsewhere VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER trg_elsewhere AFTER INSERT ON seen FOR EACH ROW EXECUTE FUNCTION touch_elsewhere();
CREATE FUNCTION note(id int) RETURNS void LANGUAGE plpgsql SET search_path = public
    AS $$ BEGIN INSERT INTO seen VALUES (id, nextval('steps')); END $$;
CREATE FUNCTION note_chat() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM public.note(NEW.id); RETURN NULL; END $$;
CREATE TRIGGER trg_note AFTER INSERT ON agent_chat FOR EACH ROW EXECUTE FUNCTION note_chat();
"""
PRESENT = "SELECT to_regclass('seen') IS NOT NULL, to_regclass('elsewhere') IS NOT NULL"


@pytest.fixture
def declared(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> Replication:
    """Of a chat whose trigger `trg_note` fires for replicated rows, and an empty target."""
    source, target = new_database("nova"), new_database("graybeard")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(CHAT)
        connection.execute(SEEN)
        connection.execute("INSERT INTO agent_chat (sender, message) VALUES ('a', 'm')")
    table = ReplicatedTable("public", "agent_chat", trigger_modes={"trg_note": "replica"})
    return replication(source, target, for_servers(source), table)


def run(declared: Replication) -> Outcome:
    with open_pair(declared) as pair:
        return set_up(pair, declared)


def test_what_a_body_names_by_way_of_another_function_is_made(declared: Replication) -> None:
    """The sequence is in a string, which is no name: the trial finds out."""
    with pytest.raises(NovaopsError, match='relation "steps" does not exist') as refused:
        run(declared)
    assert "novaops apply" in (refused.value.hint or "")
    with psycopg.connect(**declared.target.conninfo(), autocommit=True) as target:
        assert target.execute(PRESENT).fetchone() == (False, False), "everything is undone"
        target.execute("CREATE SEQUENCE steps")
    outcome = run(declared)
    assert outcome.done[0].text == "made agent_chat as on the source, and seen, which triggers name"
    with psycopg.connect(**declared.target.conninfo()) as target:
        assert target.execute(PRESENT).fetchone() == (True, False)
        assert target.execute("SELECT id FROM seen").fetchall() == [(1,)]
    assert run(declared).done == ()


def test_what_triggers_name_that_do_not_fire_is_left_out(declared: Replication) -> None:
    quiet = ReplicatedTable("public", "agent_chat", trigger_modes={"trg_note": "origin"})
    outcome = run(
        Replication(
            "agent_chat", declared.source, declared.target, (quiet,), server_conninfo=declared.server_conninfo
        )
    )
    assert outcome.done[0].text == "made agent_chat as on the source"
    with psycopg.connect(**declared.target.conninfo()) as target:
        assert target.execute(PRESENT).fetchone() == (False, False)


@pytest.mark.extension("vector")
def test_the_projects_own_schema(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    """The target embeds what it receives, so it gets the table of embeddings as well, and nothing else of the schema."""
    source, target = new_database("nova"), new_database("graybeard")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(SCHEMA.read_text())
    modes: dict[str, TriggerMode] = {"trg_notify_agent_chat": "always", "trg_embed_chat_message": "replica"}
    table = ReplicatedTable("public", "agent_chat", trigger_modes=modes)
    outcome = run(replication(source, target, for_servers(source), table))
    assert (
        outcome.done[0].text == "made agent_chat as on the source, and memory_embeddings, which triggers name"
    )
    assert outcome.proof is not None
    assert [sentinel.heard for sentinel in outcome.proof.sentinels] == [True]
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("INSERT INTO agents (name, access_method) VALUES ('nova', 'cli')")
        connection.execute("SELECT send_agent_message('nova', 'hello', ARRAY['nova'])")
    with psycopg.connect(target, autocommit=True) as connection, open_pair(outcome.replication) as pair:
        assert barrier(pair, outcome.replication).passed
        assert connection.execute("SELECT count(*) FROM memory_embeddings").fetchone() == (1,)
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (2,)
