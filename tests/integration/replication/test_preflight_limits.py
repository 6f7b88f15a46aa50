"""The pre-flight on servers that have too little, and through a pooler."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.db.embedded import unprivileged_account
from novaops.replication.declaration import Replication
from tests.pooler import program_or_skip

from .acting import Chat, errors, execute, look
from .conftest import CHAT, endpoint


@pytest.fixture
def cramped(cramped_server_url: str) -> Iterator[str]:
    """URL of a database there, with an agent_chat."""
    execute(cramped_server_url, "DROP DATABASE IF EXISTS cramped WITH (FORCE)", "CREATE DATABASE cramped")
    url = make_conninfo(cramped_server_url, dbname="cramped")
    execute(url, CHAT)
    yield url
    execute(cramped_server_url, "DROP DATABASE cramped WITH (FORCE)")


def test_wal_level(chat: Chat, cramped: str) -> None:
    declared = replace(chat[2], source=endpoint(cramped), server_conninfo={})
    found = look(declared)
    assert errors(declared) == ["wal-level"]
    assert found["wal-level"].remedy == "ALTER SYSTEM SET wal_level = logical; then restart the server"
    execute(cramped, "ALTER SYSTEM SET wal_level = logical", "SELECT pg_reload_conf()")
    try:
        deadline = time.monotonic() + 10
        while "pending-restart" not in (found := look(declared)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found["wal-level"].remedy == "restart the server"
    finally:
        execute(cramped, "ALTER SYSTEM RESET wal_level", "SELECT pg_reload_conf()")


def test_slots_and_senders_are_taken(chat: Chat, cramped: str) -> None:
    declared = replace(chat[2], source=endpoint(cramped), server_conninfo={})
    known = {**conninfo_to_dict(cramped), "replication": "database"}
    with psycopg.connect(cramped, autocommit=True) as connection:
        connection.execute("SELECT pg_create_physical_replication_slot('taken')")
        try:
            with psycopg.connect(make_conninfo(**known), autocommit=True):
                found = look(declared)
        finally:
            connection.execute("SELECT pg_drop_replication_slot('taken')")
    assert found["free-slots"].message.startswith("all 1 replication slots of cramped on ")
    assert found["free-slots"].detail == "taken"
    assert found["free-senders"].message.startswith("all 1 WAL senders of cramped on ")
    assert "free-slots" not in [f.name for f in look(declared).values() if f.severity == "error"]


def test_workers_and_origins_are_taken(chat: Chat, cramped: str) -> None:
    """A subscription in another database of the server takes the only worker."""
    declared = replace(chat[2], target=endpoint(cramped))
    found = look(declared)["free-workers"]
    assert found.message.endswith(
        "no worker left for the first copy (max_logical_replication_workers: 1 can be used)"
    )
    assert errors(replace(declared, copy="none")) == []
    execute(
        cramped,
        "CREATE SUBSCRIPTION another CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)",
        "ALTER SUBSCRIPTION another SET (slot_name = 'somewhere')",
        "ALTER SUBSCRIPTION another ENABLE",
    )
    try:
        found_now = look(replace(declared, copy="none"))
    finally:
        execute(
            cramped,
            "ALTER SUBSCRIPTION another DISABLE",
            "ALTER SUBSCRIPTION another SET (slot_name = NONE)",
            "DROP SUBSCRIPTION another",
        )
    assert found_now["free-workers"].severity == "error"
    assert found_now["free-workers"].detail == "1 subscriptions of the server are enabled, and each takes one"
    assert found_now["free-origins"].message.startswith("all 1 replication origins of cramped on ")


# -- a pooler -----------------------------------------------------------------------------------


@pytest.fixture
def pooled(chat: Chat, server_url: str, server_folder: Path) -> Iterator[dict[str, str]]:
    """How a server would reach the source through pgbouncer."""
    program = program_or_skip()
    known = conninfo_to_dict(server_url)
    password = Path(str(known["passfile"])).read_text().rpartition(":")[2].strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = endpoint(chat[0]).database
    (server_folder / "userlist.txt").write_text(f'"postgres" "{password}"\n')
    (server_folder / "pgbouncer.ini").write_text(
        f"[databases]\n{database} = host=127.0.0.1 port={known['port']} dbname={database}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {server_folder}/userlist.txt\nignore_startup_parameters = extra_float_digits\n"
    )
    account = unprivileged_account()
    server_folder.chmod(0o755)
    process = subprocess.Popen(
        [program, *(["-u", account.pw_name] if account else []), server_folder / "pgbouncer.ini"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield {"host": "127.0.0.1", "port": str(port)}
    finally:
        process.terminate()
        process.wait()


def test_the_server_would_go_through_a_pooler(
    chat: Chat, pooled: Mapping[str, str], server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared: Replication = replace(chat[2], server_conninfo=pooled)
    passfile = Path(str(conninfo_to_dict(server_url)["passfile"]))
    # The pooler has another port than the passfile's line.
    monkeypatch.setenv("PGPASSWORD", passfile.read_text().rpartition(":")[2].strip())
    found = look(declared)["server-reach"]
    assert found.severity == "error"
    assert found.message == f"127.0.0.1:{pooled['port']} is a connection pooler, not PostgreSQL"
    assert found.remedy == "give host and port of the server itself in [[replication]] server"
