"""Connections that are accepted, and the ones that are refused with a way out."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.db.connection import connect, identify
from novaops.db.embedded import EmbeddedServer
from novaops.errors import NovaopsError


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("nova_memory")


@pytest.fixture
def role(server_url: str) -> Iterator[str]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE novaops_test_login LOGIN PASSWORD 'right'")
        yield "novaops_test_login"
        connection.execute("DROP ROLE novaops_test_login")


def refused(conninfo: str | dict[str, str]) -> NovaopsError:
    with pytest.raises(NovaopsError) as found:
        connect(conninfo).close()
    return found.value


def test_session_has_our_name_and_no_timeouts(url: str, server_url: str) -> None:
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:
        for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = '77s'").format(
                    sql.Identifier(str(name)), sql.SQL(setting)
                )
            )
    with psycopg.connect(url) as plain:
        assert plain.execute("SHOW statement_timeout").fetchone() == ("77s",)
    with connect(url) as connection:
        for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("0",)
        assert connection.execute("SHOW application_name").fetchone() == ("novaops",)
        assert connection.autocommit


def test_identity(url: str, server_url: str) -> None:
    with connect(url) as first, connect(server_url) as second:
        mine, other = identify(first), identify(second)
        assert mine.database == conninfo_to_dict(url)["dbname"]
        assert mine.major >= 15
        assert mine.system_identifier
        assert mine.same_server(other)
        assert mine.database_oid != other.database_oid
        assert str(mine) == f"{mine.database} on {mine.host}:{mine.port}"


def test_identity_without_the_right_to_read_the_control_file(database: psycopg.Connection, role: str) -> None:
    database.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    database.execute(f"SET ROLE {role}")
    mine = identify(database)
    assert mine.system_identifier is None
    assert mine.same_server(mine) is None


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = refused(f"postgresql://me@127.0.0.1:{port}/x")
    assert error.message == f"no PostgreSQL server answers at 127.0.0.1:{port}"
    assert "--embedded" in (error.hint or "")


def test_no_such_socket(tmp_path: Path) -> None:
    assert refused({"host": str(tmp_path), "dbname": "x"}).message.startswith("no PostgreSQL server answers")


def test_unknown_host() -> None:
    assert "no-such-host.invalid" in refused("postgresql://no-such-host.invalid/x").message


def test_wrong_and_missing_password(server_url: str, role: str) -> None:
    known = {k: str(v) for k, v in conninfo_to_dict(server_url).items() if k != "passfile"} | {"user": role}
    wrong = refused({**known, "password": "wr0ng-secret"})
    assert "does not accept the password" in wrong.message
    assert "wr0ng-secret" not in f"{wrong.message}{wrong.detail}{wrong.hint}"
    missing = refused({**known, "passfile": "/dev/null"})
    assert "none was given" in missing.message
    connect({**known, "password": "right"}).close()


def test_missing_database_names_similar_ones(url: str) -> None:
    name = str(conninfo_to_dict(url)["dbname"])
    error = refused(make_conninfo(url, dbname=name.replace("memory", "memroy")))
    assert "has no such database" in error.message
    assert f"there is: {name}" in (error.hint or "")


def test_role_that_does_not_exist_or_may_not_log_in(
    database: psycopg.Connection, url: str, role: str
) -> None:
    database.execute(f"ALTER ROLE {role} NOLOGIN")
    error = refused(make_conninfo(url, user=role, password="right"))
    assert "does not let the role in" in error.message
    assert "not permitted to log in" in (error.detail or "")


def test_tls_where_the_server_has_none(url: str) -> None:
    error = refused(make_conninfo(url, sslmode="require"))
    assert error.message.startswith("no TLS connection")
    assert "sslmode" in (error.hint or "")


def test_too_old(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novaops.db.connection.OLDEST", 99)
    assert "novaops supports PostgreSQL 99 and later" in (refused(server_url).detail or "")


# -- servers of a special kind --------------------------------------------------------------


@pytest.fixture
def server(server_folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(server_folder / "server", settings={"fsync": "off"})
    server.start()
    yield server
    server.stop()


def test_no_pg_hba_entry(server: EmbeddedServer) -> None:
    (server.data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    socket_folder = {"host": str(server.directory / "socket"), "dbname": "postgres"}
    with connect({**server.connection_parameters(), **socket_folder}) as connection:
        connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while connection.execute("SELECT type FROM pg_hba_file_rules WHERE type = 'host'").fetchall():
            assert time.monotonic() < deadline
        time.sleep(0.5)
        error = refused(server.url())
    assert "pg_hba.conf" in error.message
    assert "no pg_hba.conf entry for host" in (error.detail or "")


def test_standby(server: EmbeddedServer) -> None:
    server.stop()
    signal = server.data / "standby.signal"
    signal.touch()
    server.start()
    assert "is a standby" in refused(server.url()).message


def test_pooler(server_url: str) -> None:
    known = conninfo_to_dict(server_url)
    with Pooler(str(known["host"]), int(str(known["port"]))) as pooler:
        with psycopg.connect(server_url, host="127.0.0.1", port=pooler.port) as through:
            assert through.execute("SELECT 1").fetchone() == (1,)
        error = refused(make_conninfo(server_url, host="127.0.0.1", port=pooler.port))
    assert error.message == f"127.0.0.1:{pooler.port} is a connection pooler, not PostgreSQL"


class Pooler:
    """What a pooler looks like to a client: it hands out cancel keys of its own making."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self) -> Pooler:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source, target:
            while data := source.recv(65536):
                target.sendall(data)

    def _answer(self, source: socket.socket, target: socket.socket) -> None:
        """Message by message: type, length, body; BackendKeyData ("K") begins with the pid."""
        with suppress(OSError, struct.error), source, target, source.makefile("rb") as stream:
            while head := stream.read(1):
                if head == b"N":  # the answer to SSLRequest and GSSENCRequest has no length
                    target.sendall(head)
                    continue
                (length,) = struct.unpack("!I", stream.read(4))
                body = stream.read(length - 4)
                if head == b"K":
                    body = struct.pack("!I", 4711) + body[4:]
                target.sendall(head + struct.pack("!I", length) + body)
