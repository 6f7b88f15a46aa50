"""The pre-flight: what the role of the subscription may do on the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from .acting import Chat, errors, execute, look


@pytest.fixture
def reader(server_url: str) -> Iterator[str]:
    execute(server_url, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    yield "reader"
    with psycopg.connect(server_url, autocommit=True) as connection:
        for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^nova_'"
        ).fetchall():
            execute(psycopg.conninfo.make_conninfo(server_url, dbname=name), "DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_no_replication_and_no_select(chat: Chat, reader: str) -> None:
    source, _, declared = chat
    declared = replace(declared, server_conninfo={**declared.server_conninfo, "user": reader})
    found = look(declared)
    assert found["replication-role"].message.startswith("role reader on ")
    assert found["replication-role"].remedy == "ALTER ROLE reader REPLICATION"
    assert found["select-right"].remedy == "GRANT SELECT ON public.agent_chat TO reader"
    execute(source, "ALTER ROLE reader REPLICATION", "GRANT SELECT ON agent_chat TO reader")
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
    execute(
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
