"""The second worked example: erebus → agents, on two servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from novaops.project import Options, Project
from novaops.replication.declaration import Endpoint
from novaops.replication.declared import declared
from novaops.replication.overlay import overlay
from novaops.replication.replicate import check, replicate

from .conftest import endpoint

EXAMPLE = Path(__file__).parents[3] / "examples/user_references"


def test_it_is_declared_for_the_documented_ports() -> None:
    (found,) = declared(EXAMPLE / "novaops.toml", Endpoint("agents", {"host": "localhost", "port": "5441"}))
    assert (str(found.source), str(found.target)) == ("erebus on localhost:5440", "agents on localhost:5441")
    assert found.read_only


@pytest.mark.since(16, "pg_create_subscription, and a second server of version 18")
def test_users_arrive_and_nobody_changes_them(
    new_database: Callable[..., str], other_database: str, for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = other_database, new_database("agents")
    (example,) = declared(EXAMPLE / "novaops.toml", Endpoint("agents", {}))
    example = replace(
        example,
        source=endpoint(source),
        target=endpoint(target),
        server_conninfo=for_servers(source),
        role=None,
    )
    laid = overlay([example], example.target)
    for url, side in ((source, "erebus"), (target, "agents")):
        with Project(
            url, EXAMPLE / side / "schema.sql", Options(overlay=laid if side == "agents" else None)
        ) as project:
            assert project.apply().left == ()
    with psycopg.connect(source, autocommit=True) as connection:
        user = "INSERT INTO user_references (source_type, source_identifier, api_key_hash) VALUES ('wallet', %s, 'secret')"
        connection.execute(user, ["0x1"])
        checked, outcome = replicate(example)
        assert checked.errors == ()
        assert outcome.proof is not None
        assert outcome.proof.proven, outcome.findings
        connection.execute(user, ["0x2"])
    assert check(example).pending == ()
    with psycopg.connect(target, autocommit=True) as connection:
        rows = "SELECT count(*) FROM user_references"
        for _ in range(100):
            if connection.execute(rows).fetchone() == (2,):
                break
            connection.execute("SELECT pg_sleep(0.1)")
        assert connection.execute(rows).fetchone() == (2,)
        with pytest.raises(psycopg.Error):
            connection.execute("DELETE FROM user_references")
    with Project(target, EXAMPLE / "agents/schema.sql", Options(overlay=laid, scope="database")) as project:
        assert [s.sql for s in project.plan().statements] == []
