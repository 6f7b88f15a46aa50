"""The server that tests run on: one embedded PostgreSQL for the whole run, or `--pg-url`."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from novaops.db.embedded import EmbeddedServer, wheel_binaries
from novaops.errors import NovaopsError
from novaops.replication.finding import Finding
from tests.printed_commands import printed, problem

FOLDER = pytest.StashKey[Path]()
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that servers of a run may need: WAL up to max_wal_size each, and their databases."""
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_worker_processes": "24",
    "max_logical_replication_workers": "16",  # tests side by side subscribe in both directions
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg-url", metavar="URL", help="superuser URL of a server to test on")
    parser.addoption("--every-fault", action="store_true", help="test_fault.py: cut off at every statement")
    parser.addoption("--every-level", action="store_true", help="test_levels.py: the whole matrix")


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the run makes the folder; xdist's workers are told where it is."""
    config.addinivalue_line("markers", "since(major, feature): skipped on servers before that version")
    config.addinivalue_line("markers", "extension(name): skipped where the server does not have it")
    worker = getattr(config, "workerinput", None)
    config.stash[FOLDER] = Path(worker["server_folder"]) if worker else folder_for_server()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["server_folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if FOLDER in config.stash and not hasattr(config, "workerinput"):
        EmbeddedServer(config.stash[FOLDER] / "server").stop()
        shutil.rmtree(config.stash[FOLDER])


def folder_for_server() -> Path:
    """A temporary folder that the account the server runs as may pass through.

    In memory where there is enough of it: there a database is made and dropped in a fifth of the time.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="novaops-", dir=MEMORY if roomy else None))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


@pytest.fixture(autouse=True)
def printed_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Texts with command lines that the test makes novaops print, each with its place: novaops has to take them.

    Hints of errors and remedies of findings are seen where they are made; what a process prints, its fixture adds.
    """
    texts: list[tuple[str, str]] = []
    hint_of, remedy_of = NovaopsError.__init__, Finding.__init__

    def with_hint(self: NovaopsError, *arguments: Any, **given: Any) -> None:
        hint_of(self, *arguments, **given)
        texts.append((f"hint of {self.message!r}", self.hint or ""))

    def with_remedy(self: Finding, *arguments: Any, **given: Any) -> None:
        remedy_of(self, *arguments, **given)
        texts.append((f"remedy of {self.name}", self.remedy or ""))

    monkeypatch.setattr(NovaopsError, "__init__", with_hint)
    monkeypatch.setattr(Finding, "__init__", with_remedy)
    yield texts
    found = {(place, command) for place, text in texts for command in printed(text)}
    refused = [f"{command}: {why}   ({place})" for place, command in found if (why := problem(command))]
    assert not refused, "commands that do not run:\n" + "\n".join(sorted(refused))


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> str:
    """URL of the server as superuser; the embedded one's password is in the passfile it names."""
    given: str | None = pytestconfig.getoption("--pg-url")
    if given:
        return given
    server = EmbeddedServer(pytestconfig.stash[FOLDER] / "server", settings=SETTINGS)
    server.start()
    return server.url()


@pytest.fixture(autouse=True)
def _server_has_it(request: pytest.FixtureRequest) -> None:
    """Skip a test whose marks say that it is about what the server does not have."""
    since = request.node.get_closest_marker("since")
    extension = request.node.get_closest_marker("extension")
    if since is None and extension is None:
        return
    with psycopg.connect(request.getfixturevalue("server_url")) as connection:
        major = connection.info.server_version // 10000
        if since and major < since.args[0]:
            pytest.skip(f"PostgreSQL {major} has no {since.args[1]}")
        query = "SELECT FROM pg_available_extensions WHERE name = %s"
        if extension and connection.execute(query, extension.args).fetchone() is None:
            pytest.skip(f"this server has no extension {extension.args[0]}")


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Callable[[str], str]:
    """The URL of a database of the server."""

    return lambda name: urlsplit(server_url)._replace(path=f"/{quote(name, safe='')}").geturl()


@pytest.fixture
def new_database(server_url: str, database_url: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """`new_database(prefix="test")` makes a database, fresh from template0, and returns its URL."""
    names: list[str] = []

    def create(prefix: str = "test") -> str:
        name = f"{prefix}_{secrets.token_hex(5)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            # Without fsync its files are copied faster than they go through the WAL.
            made = "CREATE DATABASE {} TEMPLATE template0 STRATEGY file_copy"
            connection.execute(sql.SQL(made).format(sql.Identifier(name)))
        names.append(name)
        return database_url(name)

    yield create
    # A slot cannot go while a subscription of another database reads from it.
    for name in names:
        drop_subscriptions(server_url, name)
    for name in names:
        drop_database(server_url, name)


def drop_subscriptions(server_url: str, name: str) -> None:
    """Drop the subscriptions of a database, without a word to the servers that they read from."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        subscriptions = connection.execute(
            "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = %s",
            [name],
        ).fetchall()
        if not subscriptions:
            return
        with psycopg.connect(server_url, dbname=name, autocommit=True) as inside:
            for subscription in (sql.Identifier(row[0]) for row in subscriptions):
                inside.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(subscription))
                inside.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(subscription))
                inside.execute(sql.SQL("DROP SUBSCRIPTION {}").format(subscription))


def drop_database(server_url: str, name: str) -> None:
    """Drop it with its subscriptions and slots, which would keep it from being dropped."""
    drop_subscriptions(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        query = "SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = %s"
        while slots := connection.execute(query, [name]).fetchall():
            for slot, reader in slots:
                if reader is None:
                    connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
                else:
                    connection.execute("SELECT pg_terminate_backend(%s, 1000)", [reader])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(new_database: Callable[..., str]) -> Iterator[psycopg.Connection]:
    """A connection, in autocommit mode, to a database of its own."""
    with psycopg.connect(new_database(), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def psql() -> Callable[..., str]:
    """`psql(url, *options, input=...)` of the embedded PostgreSQL; stops at the first error."""

    def run(url: str, *options: str, input: str | None = None) -> str:
        return postgresql_program(
            "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, "-d", url, input=input
        )

    return run


@pytest.fixture(scope="session")
def pg_dump() -> Callable[..., str]:
    """`pg_dump(url, *options)` of the embedded PostgreSQL."""

    def run(url: str, *options: str) -> str:
        return postgresql_program("pg_dump", *options, "-d", url)

    return run


def postgresql_program(name: str, *arguments: str, input: str | None = None) -> str:
    program = wheel_binaries() / "bin" / name
    result = subprocess.run([program, *arguments], input=input, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder for a server of the test's own."""
    folder = folder_for_server()
    yield folder
    shutil.rmtree(folder)
