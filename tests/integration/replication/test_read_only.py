"""A read-only replica takes rows from its source, and from nobody else."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare
from novaops.replication.repairs.teardown import teardown
from novaops.replication.set_up import set_up
from novaops.replication.status import status

from .acting import Chat, execute


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
