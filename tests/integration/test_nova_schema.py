"""schema/schema.sql does what its tables' guide promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

pytestmark = pytest.mark.extension("vector")

SCHEMA = Path(__file__).parents[2] / "schema" / "schema.sql"
WARNING = "⚠️ Turn context truncated — some critical rules may be missing. Alert I)ruid."
SUMMARY = "A summary that is long enough to pass the check on the length of summaries."
INSIGHTS = "Insights that are long enough."

Connection = psycopg.Connection[Any]


@pytest.fixture
def nova(database: Connection) -> Connection:
    """A database with the schema and three agents."""
    database.execute(SCHEMA.read_text())
    for name in ("nova", "coder", "Quill"):
        database.execute("INSERT INTO agents (name, access_method) VALUES (%s, 'cli')", [name])
    return database


def value(connection: Connection, query: str, *parameters: object) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]


def test_loads_into_an_empty_database_in_one_transaction(
    new_database: Callable[..., str], psql: Callable[..., str]
) -> None:
    url = new_database()
    psql(url, "-1", "-f", str(SCHEMA))
    with psycopg.connect(url) as connection:
        assert value(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 22


def test_every_table_and_view_says_who_may_use_it(nova: Connection) -> None:
    silent = nova.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        " AND coalesce(obj_description(oid, 'pg_class'), '') = ''"
    ).fetchall()
    assert silent == []
    assert "Newhart" in value(nova, "SELECT obj_description('agents'::regclass)")


def test_every_function_pins_its_search_path(nova: Connection) -> None:
    functions = nova.execute(
        "SELECT proname, proconfig FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')"
    ).fetchall()
    assert len(functions) >= 10
    assert {f[0] for f in functions if f[1] != ["search_path=pg_catalog, pg_temp"]} == set()


class TestRowLock:
    @pytest.fixture
    def projects(self, nova: Connection) -> Connection:
        nova.execute("INSERT INTO projects (name, locked) VALUES ('pointer', true), ('open', false)")
        return nova

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE projects SET goal = 'x' WHERE name = 'pointer'",
            "UPDATE projects SET locked = true, goal = 'x' WHERE name = 'pointer'",
            "UPDATE projects SET locked = NULL WHERE name = 'pointer'",
            "DELETE FROM projects WHERE name = 'pointer'",
            "TRUNCATE projects, tasks",
            "TRUNCATE projects CASCADE",
            "INSERT INTO projects (name) VALUES ('pointer') ON CONFLICT (name) DO UPDATE SET goal = 'x'",
        ],
    )
    def test_holds(self, projects: Connection, statement: str) -> None:
        before = projects.execute("SELECT * FROM projects ORDER BY id").fetchall()
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="locked"):
            projects.execute(statement)
        assert projects.execute("SELECT * FROM projects ORDER BY id").fetchall() == before

    def test_opens_on_request(self, projects: Connection) -> None:
        projects.execute("UPDATE projects SET locked = FALSE WHERE name = 'pointer'")
        projects.execute("UPDATE projects SET goal = 'new' WHERE name = 'pointer'")
        projects.execute("UPDATE projects SET locked = TRUE WHERE name = 'pointer'")
        assert value(projects, "SELECT goal FROM projects WHERE locked") == "new"

    def test_leaves_unlocked_rows_alone(self, projects: Connection) -> None:
        projects.execute("UPDATE projects SET goal = 'x' WHERE name = 'open'")
        assert value(projects, "SELECT updated_at > created_at FROM projects WHERE name = 'open'")
        projects.execute("DELETE FROM projects WHERE name = 'open'")
        projects.execute("UPDATE projects SET locked = false")
        projects.execute("TRUNCATE projects CASCADE")
        assert value(projects, "SELECT count(*) FROM projects") == 0


class TestSendAgentMessage:
    def sent(self, nova: Connection, *arguments: object) -> tuple[Any, ...]:
        marks = ", ".join(["%s"] * len(arguments))
        message = value(nova, f"SELECT send_agent_message({marks})", *arguments)
        row = nova.execute("SELECT sender, message, recipients FROM agent_chat WHERE id = %s", [message])
        return row.fetchone() or ()

    def test_normalises_names(self, nova: Connection) -> None:
        sent = self.sent(nova, " NOVA ", "Hello", ["Coder", "quill", "CODER"])
        assert sent == ("nova", "Hello", ["coder", "quill"])

    def test_broadcast(self, nova: Connection) -> None:
        assert self.sent(nova, "nova", "Deploying", ["*"]) == ("nova", "Deploying", ["*"])
        assert self.sent(nova, "nova", "Deploying", ["coder", "*"])[2] == ["*"]

    def test_reply(self, nova: Connection) -> None:
        first = value(nova, "SELECT send_agent_message('nova', 'Question', ARRAY['coder'])")
        self.sent(nova, "coder", "Answer", ["nova"], first)
        assert value(nova, "SELECT reply_to FROM agent_chat ORDER BY id DESC LIMIT 1") == first

    @pytest.mark.parametrize(
        ("sender", "recipients", "unknown"),
        [
            ("ghost", ["coder"], "'ghost'"),
            ("nova", ["coder", "ghost"], "'ghost'"),
            ("nova", [None], "''"),
            (None, ["coder"], "NULL"),
            ("*", ["coder"], r"'\*'"),
            ("Ghost", ["phantom"], "'ghost', 'phantom'"),
        ],
    )
    def test_refuses_names_that_are_no_agents(
        self, nova: Connection, sender: str | None, recipients: list[str | None], unknown: str
    ) -> None:
        with pytest.raises(errors.ForeignKeyViolation, match=f"Not in agents: {unknown}"):
            nova.execute("SELECT send_agent_message(%s, 'x', %s::text[])", [sender, recipients])
        assert value(nova, "SELECT count(*) FROM agent_chat") == 0

    @pytest.mark.parametrize(
        ("message", "recipients"), [("x", []), ("x", None), ("  ", ["coder"]), (None, ["coder"])]
    )
    def test_refuses_messages_for_nobody_or_of_nothing(
        self, nova: Connection, message: str | None, recipients: list[str] | None
    ) -> None:
        with pytest.raises(errors.InvalidParameterValue):
            nova.execute("SELECT send_agent_message('nova', %s, %s::text[])", [message, recipients])

    @pytest.mark.parametrize("recipients", ["{}", "{NULL}"])
    def test_the_table_itself_wants_recipients(self, nova: Connection, recipients: str) -> None:
        with pytest.raises(errors.CheckViolation):
            nova.execute(
                "INSERT INTO agent_chat (sender, message, recipients) VALUES ('a', 'b', %s)", [recipients]
            )

    def test_names_differ_by_more_than_case(self, nova: Connection) -> None:
        with pytest.raises(errors.UniqueViolation):
            nova.execute("INSERT INTO agents (name, access_method) VALUES ('NOVA', 'cli')")


class TestNotification:
    def heard(self, connection: Connection) -> list[dict[str, Any]]:
        found = []
        for notification in connection.notifies(timeout=0.2):
            assert notification.channel == "agent_chat"
            assert len(notification.payload.encode()) < 8000
            found.append(json.loads(notification.payload))
        return found

    def test_of_a_message(self, nova: Connection) -> None:
        nova.execute("LISTEN agent_chat")
        message = value(nova, "SELECT send_agent_message('nova', 'Hi', ARRAY['coder', 'quill'])")
        assert self.heard(nova) == [{"id": message, "sender": "nova", "recipients": ["coder", "quill"]}]

    def test_to_more_recipients_than_fit_one_payload(self, nova: Connection) -> None:
        names = [f"{i:03d}" + "ä\x01" * 48 for i in range(95)]
        nova.execute("LISTEN agent_chat")
        nova.execute("INSERT INTO agent_chat (sender, message, recipients) VALUES ('a', 'b', %s)", [names])
        heard = self.heard(nova)
        assert sorted(name for payload in heard for name in payload["recipients"]) == names
        assert {payload["sender"] for payload in heard} == {"a"}

    def test_of_absurd_names_does_not_fail(self, nova: Connection) -> None:
        nova.execute("LISTEN agent_chat")
        nova.execute(
            "INSERT INTO agent_chat (sender, message, recipients)"
            " VALUES (repeat(chr(1), 9000), 'b', ARRAY(SELECT repeat(chr(1), 9000 + i) FROM generate_series(1, 15) i))"
        )
        assert [len(payload["recipients"]) for payload in self.heard(nova)] in ([10, 5], [5, 10])


class TestEmbedding:
    @pytest.mark.parametrize("mode", ["REPLICA", "ALWAYS"])
    def test_works_as_in_a_replication_worker(self, nova: Connection, mode: str) -> None:
        nova.execute(f"ALTER TABLE agent_chat ENABLE {mode} TRIGGER trg_embed_chat_message")
        nova.execute("ALTER TABLE agent_chat ENABLE ALWAYS TRIGGER trg_notify_agent_chat")
        nova.execute("LISTEN agent_chat")
        nova.execute("SET session_replication_role = replica; SET search_path = ''")
        insert = "INSERT INTO public.agent_chat (id, sender, message, recipients) VALUES (7, 'a', %s, '{b}')"
        nova.execute(insert, ["once"])
        for message, pending in (("once", False), ("changed", True)):
            nova.execute("DELETE FROM public.agent_chat")
            assert nova.execute("SELECT count(*) FROM public.memory_embeddings").fetchone() == (0,)
            # Copied from where the message was embedded, before the message arrives.
            nova.execute(
                "INSERT INTO public.memory_embeddings (source_type, source_id, content, embedding)"
                " VALUES ('agent_chat', '7', 'once', array_fill(1, ARRAY[1536])::public.vector)"
            )
            nova.execute(insert, [message])
            rows = nova.execute(
                "SELECT source_type, source_id, content, embedding IS NULL FROM public.memory_embeddings"
            ).fetchall()
            assert rows == [("agent_chat", "7", message, pending)]
        assert len(list(nova.notifies(timeout=0.2))) == 3

    def test_by_default_skips_replicated_rows(self, nova: Connection) -> None:
        nova.execute("SELECT send_agent_message('nova', 'local', ARRAY['coder'])")
        nova.execute("SET session_replication_role = replica")
        nova.execute("INSERT INTO agent_chat (sender, message, recipients) VALUES ('a', 'copy', '{b}')")
        assert nova.execute("SELECT content FROM memory_embeddings").fetchall() == [("local",)]

    def test_nearest_neighbours_by_the_index(self, nova: Connection) -> None:
        """An index built on the empty table still finds the rows that came later."""
        nova.execute(
            "INSERT INTO memory_embeddings (source_type, source_id, content, embedding)"
            " SELECT 'lesson', i::text, 'text ' || i,"
            "   (SELECT array_agg(cos(i * 0.01 + d)) FROM generate_series(1, 1536) d)::vector"
            " FROM generate_series(1, 200) i"
        )
        nova.execute("SET enable_seqscan = off")
        query = (
            "SELECT source_id FROM memory_embeddings"
            " ORDER BY embedding <=> (SELECT embedding FROM memory_embeddings WHERE source_id = '100') LIMIT 3"
        )
        plan = "\n".join(row[0] for row in nova.execute(f"EXPLAIN {query}").fetchall())
        assert "idx_memory_embeddings_vector" in plan
        assert {row[0] for row in nova.execute(query).fetchall()} == {"99", "100", "101"}


class TestTurnContext:
    def add(self, nova: Connection, scope: str, key: str, file: str, content: str) -> None:
        nova.execute(
            "INSERT INTO agent_turn_context (context_type, context_key, file_key, content) VALUES (%s, %s, %s, %s)",
            [scope, key, file, content],
        )

    def context(self, nova: Connection, agent: str = "nova") -> tuple[str, bool, int, int]:
        query = "SELECT content, truncated, records_skipped, total_chars FROM get_agent_turn_context(%s)"
        (row,) = nova.execute(query, [agent]).fetchall()
        return row

    def test_empty(self, nova: Connection) -> None:
        assert self.context(nova) == ("", False, 0, 0)

    def test_widest_scope_first_and_only_what_concerns_the_agent(self, nova: Connection) -> None:
        nova.execute("INSERT INTO agent_domains SELECT id, 'Writing' FROM agents WHERE name = 'Quill'")
        self.add(nova, "AGENT", "quill", "A", "agent")
        self.add(nova, "AGENT", "nova", "B", "other agent")
        self.add(nova, "DOMAIN", "writing", "C", "domain")
        self.add(nova, "DOMAIN", "coding", "D", "other domain")
        self.add(nova, "GLOBAL", "*", "E", "global")
        self.add(nova, "UNIVERSAL", "*", "F2", "universal 2")
        self.add(nova, "UNIVERSAL", "*", "F1", "universal 1")
        self.add(nova, "UNIVERSAL", "*", "G", "disabled")
        nova.execute("UPDATE agent_turn_context SET enabled = false WHERE file_key = 'G'")
        expected = ["universal 1", "universal 2", "global", "domain", "agent"]
        content, truncated, skipped, total = self.context(nova, "QUILL")
        assert content.split("\n\n") == expected
        assert (truncated, skipped, total) == (False, 0, sum(map(len, expected)))

    def test_a_full_budget_is_no_excess(self, nova: Connection) -> None:
        for i in range(4):
            self.add(nova, "GLOBAL", "*", str(i), "ä" * 500)
        content, *rest = self.context(nova)
        assert rest == [False, 0, 2000]
        assert WARNING not in content

    def test_excess_is_left_out_whole_and_said(self, nova: Connection) -> None:
        for i in range(3):
            self.add(nova, "UNIVERSAL", "*", str(i), "u" * 500)
        self.add(nova, "GLOBAL", "*", "a", "g" * 450)
        self.add(nova, "AGENT", "nova", "b", "x" * 51)
        self.add(nova, "AGENT", "nova", "c", "fits")
        content, *rest = self.context(nova)
        assert rest == [True, 1, 1954]
        assert content.split("\n\n")[3:] == ["g" * 450, "fits", WARNING]

    @pytest.mark.parametrize(
        ("scope", "key", "content"),
        [
            ("GLOBAL", "*", "x" * 501),
            ("GLOBAL", "*", ""),
            ("GLOBAL", "nova", "x"),
            ("AGENT", "*", "x"),
            ("EVERYONE", "*", "x"),
        ],
    )
    def test_refuses(self, nova: Connection, scope: str, key: str, content: str) -> None:
        with pytest.raises(errors.CheckViolation):
            self.add(nova, scope, key, "k", content)

    def test_bootstrap_context_has_the_same_order(self, nova: Connection) -> None:
        nova.execute(
            "INSERT INTO agent_bootstrap_context (context_type, context_key, file_key, content) VALUES"
            " ('AGENT', 'nova', 'K', 'agent'), ('GLOBAL', '*', 'K', 'global'), ('UNIVERSAL', '*', 'K', 'universal'),"
            " ('AGENT', 'coder', 'K', 'other')"
        )
        rows = nova.execute("SELECT content FROM get_agent_bootstrap_context('Nova')").fetchall()
        assert [row[0] for row in rows] == ["universal", "global", "agent"]


class TestLibrary:
    def add(self, nova: Connection, title: str, **columns: object) -> None:
        row = {"work_type": "paper", "publication_date": "2026-01-01", "summary": SUMMARY} | {
            "insights": INSIGHTS, "shared_by": "nova", "title": title, **columns
        }  # fmt: skip
        marks = ", ".join(["%s"] * len(row))
        nova.execute(f"INSERT INTO library_works ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def test_search_ranks_title_over_summary_over_insights_over_content(self, nova: Connection) -> None:
        self.add(nova, "In content", content_text="zebra")
        self.add(nova, "In insights", insights=INSIGHTS + " zebra")
        self.add(nova, "In abstract", abstract="zebra")
        self.add(nova, "Zebra")
        rows = nova.execute(
            "SELECT title FROM library_works, plainto_tsquery('english', 'zebras') q"
            " WHERE search_vector @@ q ORDER BY ts_rank(search_vector, q) DESC"
        ).fetchall()
        assert [row[0] for row in rows] == ["Zebra", "In abstract", "In insights", "In content"]

    def test_search_vector_follows_the_text(self, nova: Connection) -> None:
        self.add(nova, "Before")
        nova.execute("UPDATE library_works SET title = 'Zebra', search_vector = NULL")
        assert value(nova, "SELECT search_vector @@ to_tsquery('english', 'zebra') FROM library_works")
        nova.execute("UPDATE library_works SET search_vector = ''")
        assert value(nova, "SELECT search_vector @@ to_tsquery('english', 'zebra') FROM library_works")

    def test_takes_a_text_longer_than_a_search_vector(self, nova: Connection) -> None:
        text = value(nova, "SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 80000) i")
        self.add(nova, "Long", content_text=text)
        assert value(nova, "SELECT length(content_text) FROM library_works") == len(text)

    def test_title_and_edition_are_unique(self, nova: Connection) -> None:
        self.add(nova, "Agents")
        self.add(nova, "Agents", edition="2nd Edition")
        for columns in ({}, {"edition": "2nd Edition"}):
            with pytest.raises(errors.UniqueViolation):
                self.add(nova, "AGENTS", **columns)

    @pytest.mark.parametrize("columns", [{"summary": "short"}, {"insights": "short"}, {"work_type": "song"}])
    def test_incomplete_works_are_refused(self, nova: Connection, columns: dict[str, str]) -> None:
        with pytest.raises(errors.CheckViolation):
            self.add(nova, "Agents", **columns)


class TestJobs:
    def job(self, nova: Connection, parent: int | None = None) -> int:
        insert = "INSERT INTO agent_jobs (agent_name, parent_job_id) VALUES ('scout', %s) RETURNING id"
        return int(value(nova, insert, parent))

    def test_root_comes_from_the_parent(self, nova: Connection) -> None:
        root = self.job(nova)
        leaf = self.job(nova, self.job(nova, root))
        assert nova.execute("SELECT DISTINCT root_job_id FROM agent_jobs").fetchall() == [(root,)]
        nova.execute("UPDATE agent_jobs SET root_job_id = %s, status = 'completed'", [leaf])
        assert nova.execute("SELECT DISTINCT root_job_id FROM agent_jobs").fetchall() == [(root,)]

    def test_parent_stays(self, nova: Connection) -> None:
        first, second = self.job(nova), self.job(nova)
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="keeps its parent"):
            nova.execute("UPDATE agent_jobs SET parent_job_id = %s WHERE id = %s", [first, second])


def test_chat_views(nova: Connection) -> None:
    nova.execute(
        "INSERT INTO agent_chat (sender, message, recipients, timestamp) VALUES"
        " ('nova', 'old', '{coder}', now() - interval '31 days'), ('nova', 'recent', '{*}', now() - interval '2 days'),"
        " ('coder', 'new', '{nova}', now())"
    )
    recent = nova.execute("SELECT message FROM v_agent_chat_recent").fetchall()
    assert [row[0] for row in recent] == ["new", "recent"]
    stats = nova.execute(
        "SELECT total_messages, messages_last_day, messages_last_week, broadcasts, senders FROM v_agent_chat_stats"
    ).fetchone()
    assert stats == (3, 1, 2, 1, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entities (name, type) VALUES ('x', 'planet')",
        "INSERT INTO entity_relationships (entity_a, entity_b, relationship) SELECT id, id, 'friend' FROM entities",
        "INSERT INTO entity_facts (entity_id, key, value, confidence) SELECT id, 'k', 'v', 1.5 FROM entities",
        "INSERT INTO projects (name, status) VALUES ('x', 'forgotten')",
        "INSERT INTO agents (name, access_method) VALUES ('*', 'cli')",
        "INSERT INTO agent_jobs (priority) VALUES (11)",
    ],
)
def test_nonsense_is_refused(nova: Connection, statement: str) -> None:
    nova.execute("INSERT INTO entities (name) VALUES ('druid')")
    with pytest.raises(errors.CheckViolation):
        nova.execute(statement)
