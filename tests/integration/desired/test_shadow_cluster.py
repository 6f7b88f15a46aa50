"""Embedded clusters for shadows: each has the roles of the target that uses it, and of no other."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from novaops.db.connection import connect
from novaops.db.embedded import EmbeddedServer
from novaops.db.environment import parameters
from novaops.desired.shadow import created
from novaops.desired.shadow_cluster import Roles, cluster_like
from novaops.diagnostics import DiagnosticsError
from novaops.project import Options, Project
from tests.conftest import SETTINGS, folder_for_server

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def data_home(server_url: str) -> Iterator[Path]:
    """A folder for embedded clusters, which the tests of this file share."""
    with psycopg.connect(server_url) as connection:
        if connection.info.server_version < 180000:
            pytest.skip("the embedded PostgreSQL is of another major version")
    folder = folder_for_server()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def clusters(data_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds one folder for each cluster."""
    monkeypatch.setenv("XDG_DATA_HOME", str(data_home))
    return data_home / "novaops/embedded"


@pytest.fixture(scope="module")
def target(data_home: Path) -> Iterator[EmbeddedServer]:
    """A server of its own: on the one that all tests share, others make and drop roles meanwhile."""
    server = EmbeddedServer(data_home / "target", settings=SETTINGS)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(target: EmbeddedServer) -> Iterator[Connection]:
    """A database of the target."""
    name = f"shadowed_{secrets.token_hex(4)}"
    with psycopg.connect(target.url(), autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with psycopg.connect(target.url(name), autocommit=True) as connection:
            yield connection
        maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def role(database: Connection) -> Iterator[Callable[[], str]]:
    """`role()` makes a role on the target's server and returns its name, which has to be quoted."""
    names: list[sql.Identifier] = []

    def create() -> str:
        name = f'Shadow "{secrets.token_hex(4)}"'
        names.append(sql.Identifier(name))
        database.execute(sql.SQL("CREATE ROLE {}").format(names[-1]))
        return name

    yield create
    for identifier in names:
        database.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(identifier))


def quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def project(target: Connection, folder: Path, text: str, **options: Any) -> Project:
    (folder / "schema.sql").write_text(text)
    chosen = Options(**{"ignore_file": None, "shadow": "embedded", **options})
    return Project(parameters(target), folder / "schema.sql", chosen)


@contextmanager
def shadow_of(target: Connection) -> Iterator[Connection]:
    with cluster_like(target) as cluster, created(make_conninfo(**cluster)) as connection:
        yield connection


def roles(connection: Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}


@pytest.mark.parametrize("missing_roles", ["error", "skip", "create"])
def test_what_names_a_role_of_the_target_is_planned_and_rehearsed_as_on_its_own_server(
    database: Connection, role: Callable[[], str], tmp_path: Path, missing_roles: str
) -> None:
    reader, member = role(), role()
    database.execute("CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'x')")
    database.execute(f"GRANT {quoted(reader)} TO {quoted(member)} WITH ADMIN OPTION")
    text = f"""
        CREATE TABLE t (a int PRIMARY KEY, b text, c int);
        CREATE ROLE {quoted(reader)};
        GRANT {quoted(reader)} TO {quoted(member)};
        GRANT SELECT ON t TO {quoted(reader)};
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON t TO {quoted(member)} USING (pg_has_role({literal(member)}, {literal(reader)}, 'USAGE'));
        SET ROLE {quoted(member)};
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {quoted(reader)};
        RESET ROLE;
    """
    plans = []
    for shadow in ("server", "embedded"):
        with project(database, tmp_path, text, missing_roles=missing_roles, shadow=shadow) as one:
            made = one.rehearse(one.plan(["all"]))
            assert made.rehearsal is not None
            assert made.rehearsal["converges"], made.rehearsal
            assert made.locks_seen
            plans.append([s.sql for s in made.statements])
    assert plans[0] == plans[1]
    assert not [s for s in plans[1] if s.startswith("CREATE ROLE")]
    with project(database, tmp_path, text, missing_roles=missing_roles) as one:
        assert one.apply(allow=["all"]).left == ()
        assert not one.plan().statements
    assert database.execute("SELECT * FROM t").fetchall() == [(1, "x", None)]


def literal(name: str) -> str:
    return sql.Literal(name).as_string()


def test_a_role_that_the_target_lacks_is_missing_there_too(
    database: Connection, role: Callable[[], str], tmp_path: Path
) -> None:
    database.execute("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)")
    there, lacking = role(), f"lacking_{secrets.token_hex(4)}"
    text = (
        "CREATE TABLE t (a int PRIMARY KEY);\n"
        f"GRANT SELECT ON t TO {lacking};\nGRANT SELECT ON t TO {quoted(there)};\n"
    )
    with project(database, tmp_path, text) as one, pytest.raises(DiagnosticsError) as refused:
        one.plan()
    (error,) = refused.value.diagnostics
    assert error.message == f'role "{lacking}" does not exist'
    with project(database, tmp_path, text, missing_roles="skip") as one:
        assert [s.sql for s in one.plan().statements] == [
            f"GRANT SELECT ON TABLE public.t TO {quoted(there)}"
        ]
    with project(database, tmp_path, text, missing_roles="create") as one:
        made = one.rehearse(one.plan(["all"]))
        assert made.rehearsal is not None
        assert made.rehearsal["converges"], made.rehearsal
        assert f"CREATE ROLE {lacking}" in [s.sql for s in made.statements]
        try:
            assert one.apply(allow=["all"]).left == ()
        finally:
            database.execute(f"DROP OWNED BY {lacking}; DROP ROLE {lacking}")


def test_grants_to_the_role_of_the_target_itself_are_its_own(
    database: Connection, role: Callable[[], str], tmp_path: Path
) -> None:
    """The owner has what is granted to it by its own hand, on either server."""
    owner = role()
    database.execute(f"ALTER ROLE {quoted(owner)} SUPERUSER LOGIN PASSWORD 'secret'")
    with connect({**parameters(database), "user": owner, "password": "secret"}) as target:
        target.execute(
            "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1);"
            " ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"
        )
        text = (
            f"CREATE TABLE t (a int PRIMARY KEY);\nGRANT ALL ON t TO {quoted(owner)};\n"
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;\n"
        )
        with project(target, tmp_path, text) as one:
            assert not one.plan().statements


def test_a_cluster_in_use_keeps_its_roles(
    database: Connection, role: Callable[[], str], clusters: Path
) -> None:
    first = role()
    with shadow_of(database) as one:
        assert first in roles(one)
        with shadow_of(database) as like_it:
            assert like_it.info.port == one.info.port
        second = role()
        with shadow_of(database) as other:
            assert other.info.port != one.info.port
            assert {first, second} <= roles(other)
            assert second not in roles(one)
        database.execute(f"DROP ROLE {quoted(first)}")
        with shadow_of(database) as other:
            assert other.info.port != one.info.port
            assert first not in roles(other)
            assert Roles.of_cluster(other) == Roles.of_target(database)
        database.execute(f"CREATE ROLE {quoted(first)}")
    assert {path.name for path in clusters.iterdir()} == {"18-shadow-1", "18-shadow-2"}


def test_two_plans_at_once_each_see_the_roles_of_their_own_target(
    database: Connection, role: Callable[[], str], tmp_path: Path
) -> None:
    """One plan holds its shadow while the other makes its own, in both orders of coming and going."""
    app = role()
    text = f"CREATE TABLE t (a int);\nGRANT SELECT ON t TO {quoted(app)};\n"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    def planned(name: str) -> list[str]:
        with project(database, tmp_path / name, text) as one:
            return [s.sql for s in one.rehearse(one.plan(["all"])).statements]

    with ThreadPoolExecutor() as pool:
        one, two = pool.map(planned, ["one", "two"])
    assert one == two
    assert f"GRANT SELECT ON TABLE public.t TO {quoted(app)}" in one


def test_what_a_killed_run_left_is_no_obstacle(database: Connection, role: Callable[[], str]) -> None:
    left = role()
    with cluster_like(database) as cluster:
        url = make_conninfo(**cluster)
        with connect(url) as connection:
            connection.execute("CREATE DATABASE novaops_shadow_1_00000001")
        with connect({**cluster, "dbname": "novaops_shadow_1_00000001"}) as connection:
            connection.execute(f"CREATE TABLE t (); ALTER TABLE t OWNER TO {quoted(left)}")
    database.execute(f"DROP ROLE {quoted(left)}")
    with shadow_of(database) as one:
        assert left not in roles(one)
    database.execute(f"CREATE ROLE {quoted(left)}")
