"""Two databases of one server, and a second server, for what is replicated between them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from novaops.db.embedded import EmbeddedServer, unprivileged_account
from novaops.replication.declaration import Endpoint, ReplicatedTable, Replication
from tests.conftest import SETTINGS, drop_database, folder_for_server
from tests.integration.replication.acting import Chat, Listener, run, write

CHAT = """
CREATE TABLE agent_chat (id serial PRIMARY KEY, sender text NOT NULL, message text NOT NULL);
CREATE FUNCTION notify_agent_chat() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN PERFORM pg_notify('agent_chat', NEW.id::text); RETURN NULL; END $$;
CREATE TRIGGER trg_notify_agent_chat AFTER INSERT ON agent_chat FOR EACH ROW EXECUTE FUNCTION notify_agent_chat();
"""
"""A small agent_chat, which tells listeners of its rows."""


@pytest.fixture(scope="session")
def other_server_url() -> Iterator[str]:
    """URL of a second server, as superuser."""
    folder = folder_for_server()
    try:
        with EmbeddedServer(folder / "server", settings=SETTINGS).running() as server:
            yield server.url()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def other_database(other_server_url: str) -> Iterator[str]:
    """URL of a database on the second server, gone after the test."""
    with psycopg.connect(other_server_url, autocommit=True) as connection:
        drop_database(other_server_url, "other")
        connection.execute("CREATE DATABASE other TEMPLATE template0")
        known = conninfo_to_dict(other_server_url)
        yield psycopg.conninfo.make_conninfo(**{**known, "dbname": "other"})
        drop_database(other_server_url, "other")


@pytest.fixture(scope="session")
def for_servers() -> Iterator[Callable[[str], dict[str, str]]]:
    """`for_servers(url)`: how a server reaches that server, with a passfile that its account may read."""
    folder = folder_for_server()
    account = unprivileged_account()

    def reach(url: str) -> dict[str, str]:
        known = conninfo_to_dict(url)
        given = {name: str(known[name]) for name in ("host", "port", "user") if known.get(name)}
        if passfile := known.get("passfile"):
            copy = folder / str(abs(hash(passfile)))
            shutil.copy(str(passfile), copy)
            copy.chmod(0o600)
            if account is not None:
                os.chown(copy, account.pw_uid, account.pw_gid)
            given["passfile"] = str(copy)
        return given

    yield reach
    shutil.rmtree(folder)


@pytest.fixture
def chat(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> tuple[str, str, Replication]:
    """URLs of a source and a target on one server, both with an agent_chat, and its replication."""
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CHAT)
    return source, target, replication(source, target, for_servers(source))


def replication(
    source: str,
    target: str,
    server: Mapping[str, str],
    *tables: ReplicatedTable,
    **given: object,
) -> Replication:
    """The replication of tables, by default of agent_chat with its trigger ALWAYS, from one URL to another."""
    declared = tables or (
        ReplicatedTable("public", "agent_chat", trigger_modes={"trg_notify_agent_chat": "always"}),
    )
    return Replication(
        "agent_chat",
        endpoint(source),
        endpoint(target),
        declared,
        server_conninfo=dict(server),
        **given,  # type: ignore[arg-type]
    )


def endpoint(url: str) -> Endpoint:
    return Endpoint.of({name: str(value) for name, value in conninfo_to_dict(url).items()})


@pytest.fixture(scope="session")
def cramped_server_url() -> Iterator[str]:
    """URL of a server that has next to nothing of what replication takes, and no logical decoding."""
    folder = folder_for_server()
    limits = {"wal_level": "replica", "max_replication_slots": "1", "max_wal_senders": "1"}
    workers = {"max_logical_replication_workers": "1", "max_active_replication_origins": "1"}
    try:
        with EmbeddedServer(
            folder / "server", settings={**SETTINGS, **limits, **workers}
        ).running() as server:
            yield server.url()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def listener(chat: Chat) -> Iterator[Listener]:
    """A listener on the target."""
    with psycopg.connect(chat[1], autocommit=True) as connection:
        yield Listener(connection)


@pytest.fixture
def running(chat: Chat) -> Chat:
    """The chat, set up, with a hundred rows."""
    source, _, declared = chat
    write(source, 100)
    run(declared)
    return chat
