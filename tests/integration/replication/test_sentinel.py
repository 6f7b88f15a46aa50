"""A row that is sent to be heard, and is never seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg

from novaops.replication.declaration import ReplicatedTable
from novaops.replication.pair import open_pair
from novaops.replication.proof.verify import verify
from novaops.replication.set_up import set_up

from .acting import Chat, execute
from .conftest import replication


def test_a_sentinel_is_heard_whatever_the_table_wants(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        execute(
            url,
            "CREATE TYPE mood AS ENUM ('good', 'bad')",
            "CREATE TABLE t (id uuid PRIMARY KEY, name varchar(9) UNIQUE NOT NULL, tags text[] NOT NULL CHECK"
            " (cardinality(tags) > 0), mood mood NOT NULL, at timestamptz NOT NULL, doc jsonb NOT NULL,"
            " n numeric NOT NULL UNIQUE, twice int GENERATED ALWAYS AS (length(name) * 2) STORED)",
            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog"
            ' AS $$ BEGIN NOTIFY "My Channel"; RETURN NULL; END $$',
            "CREATE TRIGGER tell AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tell()",
        )
    table = ReplicatedTable("public", "t", trigger_modes={"tell": "always"})
    declared = replication(source, target, for_servers(source), table)
    with open_pair(declared) as pair:
        outcome = set_up(pair, declared)
        assert outcome.proof is not None
        (sentinel,) = outcome.proof.sentinels
        assert (sentinel.heard, sentinel.channels) == (True, ("My Channel",))
        execute(source, "ALTER TABLE t ADD CONSTRAINT never CHECK (length(name) < 0)")
        proof = verify(pair, declared)
        assert proof.proven
        assert [(f.name, f.severity) for f in proof.findings] == [("no-sentinel", "note")]
        assert "never" in proof.findings[0].message
        execute(source, "ALTER TABLE t DROP CONSTRAINT never")
        execute(target, "ALTER TABLE t DISABLE TRIGGER tell")
        assert [f.name for f in verify(pair, replace(declared, channel="My Channel")).findings] == [
            "not-heard"
        ]


def test_a_declared_sentinel_is_sent(running: Chat) -> None:
    """Here only a function knows what a row has to look like."""
    source, target, declared = running
    execute(
        source,
        "CREATE FUNCTION send(text) RETURNS int LANGUAGE sql AS"
        " $$ INSERT INTO agent_chat (sender, message) VALUES ('SECRET-' || $1, 'x') RETURNING id $$",
        "ALTER TABLE agent_chat ADD CHECK (sender LIKE 'SECRET-%') NOT VALID",
    )
    execute(source, "DELETE FROM agent_chat")
    with open_pair(declared) as pair:
        assert [f.name for f in verify(pair, declared).findings] == ["no-sentinel"]
        table = replace(declared.tables[0], sentinel="SELECT send('probe')")
        (sentinel,) = verify(pair, replace(declared, tables=(table,))).sentinels
        assert sentinel.heard
        broken = replace(table, sentinel="SELECT nothing()")
        proof = verify(pair, replace(declared, tables=(broken,)))
        assert "the declared statement fails" in proof.findings[0].message
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)
