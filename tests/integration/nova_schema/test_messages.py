"""Messages between agents: sent, notified, embedded, shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg import errors

from tests.integration.nova_schema.conftest import Connection, value

pytestmark = pytest.mark.extension("vector")


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
                "INSERT INTO agent_chat (sender, message, recipients) VALUES ('nova', 'b', %s)", [recipients]
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
        nova.execute("INSERT INTO agent_chat (sender, message, recipients) VALUES ('nova', 'b', %s)", [names])
        heard = self.heard(nova)
        assert sorted(name for payload in heard for name in payload["recipients"]) == names
        assert {payload["sender"] for payload in heard} == {"nova"}

    def test_of_absurd_names_does_not_fail(self, nova: Connection) -> None:
        nova.execute("LISTEN agent_chat")
        # A row like this can only be replicated from a table without the guard.
        nova.execute("ALTER TABLE agent_chat ENABLE ALWAYS TRIGGER trg_notify_agent_chat")
        nova.execute("SET session_replication_role = replica")
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
