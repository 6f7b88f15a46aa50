"""A real pgbouncer for tests: on a port and in a folder of its own, as an account without rights."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from novaops.db.server_account import unprivileged_account
from novaops.pgbouncer.aliases import Aliases
from novaops.pgbouncer.groundwork import Outcome
from novaops.pgbouncer.new_alias import new_alias
from novaops.pgbouncer.version import find_program
from novaops.progress import Reporter, Silent

INI = """\
;; The pooler of the agents. Ask before you change anything.
[databases]
 theirs   =   host={host} port={port} dbname='{database}'   pool_size=2

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = {folder}/userlist.txt
admin_users = console
server_login_retry = 1
pidfile = {folder}/pgbouncer.pid
logfile = {folder}/pgbouncer.log
"""
USERLIST = '; people\n"console" "console-password"\n'


def program_or_skip() -> Path:
    """pgbouncer; without it a test is skipped on a machine of one's own, and fails in CI."""
    program = find_program()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("pgbouncer is missing: apt-get install pgbouncer")
        pytest.skip("pgbouncer is not installed (apt-get install pgbouncer)")
    return program


@dataclass
class PoolerForTest:
    """A running pgbouncer, a database behind it, and a project with a novaops.toml."""

    folder: Path
    project: Path
    url: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def ini(self) -> Path:
        return self.folder / "pgbouncer.ini"

    @property
    def userlist(self) -> Path:
        return self.folder / "userlist.txt"

    @property
    def toml(self) -> Path:
        return self.project / "novaops.toml"

    @property
    def base(self) -> dict[str, str]:
        return {name: str(value) for name, value in conninfo_to_dict(self.url).items() if value is not None}

    def start(self) -> None:
        account = unprivileged_account()
        self.process = subprocess.Popen(
            [program_or_skip(), "-q", self.ini],
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while not (self.folder / f".s.PGSQL.{self.port}").exists():
            assert self.process.poll() is None, (self.folder / "pgbouncer.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def give(self, *paths: Path, mode: int = 0o640) -> None:
        """Make the files those of the account that pgbouncer runs as."""
        account = unprivileged_account()
        for path in paths:
            if account is not None:
                os.chown(path, account.pw_uid, account.pw_gid)
            path.chmod(mode)

    def write(self, ini: str, userlist: str | None = None) -> None:
        """Another text in the ini, as an editor would write it."""
        self.ini.write_text(ini)
        if userlist is not None:
            self.userlist.write_text(userlist)

    def console(self, command: str) -> list[dict[str, str]]:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, dbname="pgbouncer", user="console", password="console-password",
            autocommit=True,
        ) as connection:  # fmt: skip
            result = connection.pgconn.exec_(command.encode())
            assert not result.error_message, result.error_message
            names = [(result.fname(i) or b"").decode() for i in range(result.nfields)]
            return [
                {n: (result.get_value(row, i) or b"").decode() for i, n in enumerate(names)}
                for row in range(result.ntuples)
            ]

    def served(self) -> set[str]:
        return {row["name"] for row in self.console("SHOW DATABASES")} - {"pgbouncer"}

    def login(self, alias: str, user: str, password: str | None = None) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=alias, user=user, password=password or f"{user}-password",
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def client_url(self, alias: str, user: str) -> str:
        login = f"{quote(user, safe='')}:{quote(user, safe='')}-password"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(alias, safe='')}"

    def works(self, alias: str, user: str) -> bool:
        """Whether the agent gets to the database through the alias, by a connection of its own."""
        try:
            with self.login(alias, user) as connection:
                row = connection.execute("SELECT current_database(), current_user::text").fetchone()
        except psycopg.OperationalError:
            return False
        assert row == (self.base["dbname"], user)
        return True

    def aliases(self, reporter: Reporter | None = None) -> Aliases:
        return Aliases(self.base, path=self.toml, reporter=reporter or Silent())

    def add(self, agent: str, reporter: Reporter | None = None, **given: object) -> Outcome:
        """Add an alias, with the agent's password for the login that proves it."""
        aliases = self.aliases(reporter)
        names = (
            "name",
            "role",
            "target",
            "target_host",
            "target_port",
            "pool_mode",
            "pool_size",
            "rationale",
        )
        wanted = {name: given.pop(name) for name in names if name in given}
        given.setdefault("password", f"{agent}-password")
        return aliases.add(new_alias(aliases.inventory(), agent, **wanted), **given)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def pooler(new_database: Callable[..., str], tmp_path: Path) -> Iterator[PoolerForTest]:
    """A pgbouncer that serves `theirs`, and a project that declares no alias yet."""
    program_or_skip()
    url = new_database("nova_memory")
    base = conninfo_to_dict(url)
    folder = Path(tempfile.mkdtemp(prefix="novaops-pooler-"))
    project = tmp_path / "project"
    project.mkdir()
    made = PoolerForTest(folder, project, url, free_port())
    folder.chmod(0o755)
    made.ini.write_text(
        INI.format(
            host=base["host"], port=base["port"], database=base["dbname"], listen=made.port, folder=folder
        )
    )
    made.userlist.write_text(USERLIST)
    made.toml.write_text(
        f'# aliases of the agents\n[pgbouncer]\nini = "{made.ini}"   # not the one of Debian\n'
    )
    made.give(made.ini, made.userlist)
    made.give(folder, mode=0o755)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@pytest.fixture
def new_agent(server_url: str, pooler: PoolerForTest) -> Iterator[Callable[..., str]]:
    """`new_agent("argus")` makes a role with the password `<role>-password` and returns its name."""
    made: list[str] = []

    def create(prefix: str = "argus", *, exact: bool = False) -> str:
        name = prefix if exact else f"{prefix}_{secrets.token_hex(4)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute("SET password_encryption = 'scram-sha-256'")
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(name), sql.Literal(f"{name}-password")
                )
            )
        made.append(name)
        return name

    yield create
    pooler.stop()
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in reversed(made):
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).rowcount:
                continue
            with psycopg.connect(pooler.url, autocommit=True) as inside:
                inside.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
