"""Everything works for a role that owns its database and has no other right."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError
from novaops.output.json import plan_from_json, plan_to_json
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
OLD = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE items (id int PRIMARY KEY, owner int, mood mood, label varchar(10));
CREATE VIEW labels AS SELECT label FROM items;
CREATE TABLE gone (a int);
"""
NEW = """
CREATE TYPE mood AS ENUM ('sad', 'so-so', 'happy');
CREATE SCHEMA app;
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE items (
    id int PRIMARY KEY, owner int NOT NULL REFERENCES owners (id), mood mood DEFAULT 'so-so',
    label varchar(20) CHECK (label <> '')
);
CREATE INDEX items_label ON items (label);
CREATE VIEW labels AS SELECT label FROM items;
CREATE FUNCTION app.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE app.notes (id int GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT now());
CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
COMMENT ON TABLE items IS 'things';
GRANT SELECT ON labels TO PUBLIC;
"""
ROWS = "INSERT INTO owners VALUES (1); INSERT INTO items VALUES (1, 1, 'sad', 'a')"


@pytest.fixture
def admin(server_url: str) -> Iterator[Connection]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def role(admin: Connection) -> Iterator[Callable[[], tuple[str, str]]]:
    """`role()` makes a role without rights and returns its name and password."""
    names: list[str] = []

    def create() -> tuple[str, str]:
        name, password = f"plain_{secrets.token_hex(4)}", secrets.token_hex(8)
        statement = "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}"
        admin.execute(sql.SQL(statement).format(sql.Identifier(name), password))
        names.append(name)
        return name, password

    yield create
    for name in names:
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def owned_database(
    role: Callable[[], tuple[str, str]], admin: Connection, new_database: Callable[..., str]
) -> Iterator[Callable[[], str]]:
    """`owned_database()` is the URL, for the one role, of a new database that the role owns."""
    name, password = role()
    made: list[str] = []

    def create() -> str:
        url = new_database("owned")
        made.append(url)
        with psycopg.connect(url) as connection:
            database = sql.Identifier(connection.info.dbname)
            connection.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(name))
            )
        return make_conninfo(url, user=name, password=password)

    yield create
    for url in made:  # before the role is dropped
        with psycopg.connect(url) as connection:
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO postgres").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))


@pytest.fixture(params=["embedded", "url"])
def shadow(
    request: pytest.FixtureRequest, owned_database: Callable[[], str], admin: Connection,
    monkeypatch: pytest.MonkeyPatch, server_folder: Path,
) -> str:  # fmt: skip
    """Where the files run for somebody who may not create databases."""
    if request.param == "url":
        return owned_database()
    if admin.info.server_version < 180000:
        pytest.skip("the embedded PostgreSQL is of another major version")
    monkeypatch.setenv("XDG_DATA_HOME", str(server_folder))
    return "embedded"


def test_plan_rehearse_apply_and_dump(owned_database: Callable[[], str], shadow: str, tmp_path: Path) -> None:
    url = owned_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OLD)
        connection.execute(ROWS)
        usable = connection.info.server_version >= 170000 or shadow == "embedded"
    # Until PostgreSQL 16 a new label takes a commit, and none is done in a database that somebody made.
    declared = NEW if usable else NEW.replace("'so-so', ", "").replace(" DEFAULT 'so-so'", "")
    (tmp_path / "schema.sql").write_text(declared)
    options = Options(ignore_file=None, shadow=shadow)
    with Project(url, tmp_path / "schema.sql", options) as project:
        # The view is made anew, and everybody gets to read it by that.
        made = project.rehearse(project.plan(["access-grant:public.labels", "undeclared-drop:public.gone"]))
        assert made.rehearsal is not None
        assert made.rehearsal["converges"], made.rehearsal
        assert made.locks_seen is (shadow == "embedded")
        assert any(s.locks for s in made.statements if s.transaction is not None) is made.locks_seen
        assert not made.blocked
        outcome = project.apply(made)
        assert outcome.left == ()
        assert outcome.rehearsal is not None
        assert outcome.rehearsal["converges"]
        assert not project.plan().statements
        (tmp_path / "schema.sql").write_text(project.dump())
        assert not project.plan().statements
        assert project.connection.execute("SELECT count(*) FROM items").fetchone() == (1,)


def test_what_belongs_to_others_is_named_before_anything_runs(
    owned_database: Callable[[], str], new_database: Callable[..., str], admin: Connection, tmp_path: Path
) -> None:
    url, empty = owned_database(), owned_database()
    (tmp_path / "schema.sql").write_text(
        "CREATE TABLE mine (a int, b int);\nCREATE TABLE theirs (a int, b int);\n"
        "CREATE TABLE theirs_too (a int CHECK (a > 0));\nCREATE TABLE untouched (a int);\n"
        "CREATE TABLE renamed (a int); -- novaops: renamed from theirs_as_well\n"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE mine (a int)")
        role = connection.info.user
    with psycopg.connect(url, user="postgres", password=admin.info.password, autocommit=True) as connection:
        for table in ("theirs", "theirs_as_well", "theirs_too", "untouched"):
            connection.execute(sql.SQL("CREATE TABLE {} (a int)").format(sql.Identifier(table)))
        connection.execute(
            sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(role))
        )
    with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, shadow=empty)) as project:
        made = project.plan()
        for plan in (made, plan_from_json(plan_to_json(made))):
            with pytest.raises(NovaopsError, match="may not change what belongs to postgres") as refused:
                project.apply(plan)
            assert refused.value.detail == (
                "public.theirs belongs to postgres\npublic.theirs_as_well belongs to postgres\n"
                "public.theirs_too belongs to postgres"
            )
            assert f"GRANT postgres TO {role}" in (refused.value.hint or "")
        assert len(project.connection.execute("SELECT * FROM mine").description or ()) == 1


def test_the_owner_of_the_schema_may_drop_what_others_made_there(
    owned_database: Callable[[], str], admin: Connection, tmp_path: Path
) -> None:
    url, empty = owned_database(), owned_database()
    (tmp_path / "schema.sql").write_text("CREATE SCHEMA app;\n")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA app")
        role = connection.info.user
    with psycopg.connect(url, user="postgres", password=admin.info.password, autocommit=True) as connection:
        connection.execute("CREATE TABLE app.theirs (a int)")
        connection.execute(sql.SQL("GRANT SELECT, DELETE ON app.theirs TO {}").format(sql.Identifier(role)))
    with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, shadow=empty)) as project:
        assert project.apply(allow=["undeclared-drop:app.theirs"]).left == ()


def test_a_member_of_the_owner_may_change_it(
    owned_database: Callable[[], str], role: Callable[[], tuple[str, str]], admin: Connection, tmp_path: Path
) -> None:
    url, empty = owned_database(), owned_database()
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (a int, b int);\n")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int)")
        owner = sql.Identifier(connection.info.user)
    member, password = role()
    admin.execute(sql.SQL("GRANT {} TO {}").format(owner, sql.Identifier(member)))
    url, empty = (make_conninfo(u, user=member, password=password) for u in (url, empty))
    with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, shadow=empty)) as project:
        assert project.apply().left == ()


@pytest.mark.extension("vector")
def test_where_an_extension_takes_a_superuser_the_hint_names_another_shadow(
    owned_database: Callable[[], str], tmp_path: Path
) -> None:
    (tmp_path / "schema.sql").write_text("CREATE EXTENSION vector;\nCREATE TABLE t (v vector(3));\n")
    options = Options(ignore_file=None, shadow=owned_database())
    with (
        Project(owned_database(), tmp_path / "schema.sql", options) as project,
        pytest.raises(DiagnosticsError) as refused,
    ):
        project.plan()
    (error,) = refused.value.diagnostics
    assert error.code == "42501"
    assert "--shadow embedded" in (error.hint or "")


VECTOR_ROWS = "CREATE TABLE t (id int PRIMARY KEY, v ext.vector(3)); INSERT INTO t VALUES (1, '[1,2,3]')"
VECTOR_FILE = (
    "CREATE TABLE t (id int PRIMARY KEY, v ext.vector(3), n int);\n"
    "CREATE INDEX ON t USING hnsw (v ext.vector_cosine_ops);\n"
)


def with_vector(url: str, admin: Connection) -> None:
    with psycopg.connect(url, user="postgres", password=admin.info.password, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA ext; GRANT ALL ON SCHEMA ext TO PUBLIC; CREATE EXTENSION vector SCHEMA ext"
        )


def objects(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT extname::text FROM pg_extension UNION ALL SELECT nspname FROM pg_namespace"
            " UNION ALL SELECT oid::regclass::text FROM pg_class WHERE oid >= 16384 ORDER BY 1"
        ).fetchall()


@pytest.mark.extension("vector")
@pytest.mark.parametrize("plain", [True, False], ids=["plain owner", "superuser"])
@pytest.mark.parametrize(
    "create",
    [
        "",
        "CREATE EXTENSION vector SCHEMA ext;\n",
        "CREATE SCHEMA ext;\nCREATE EXTENSION IF NOT EXISTS vector SCHEMA ext;\n",
        "CREATE SCHEMA ext;\nGRANT ALL ON SCHEMA ext TO PUBLIC;\nCREATE EXTENSION vector SCHEMA ext;\n",
    ],
)
def test_a_shadow_with_the_extension_serves_who_may_not_create_it(
    owned_database: Callable[[], str], admin: Connection, tmp_path: Path, create: str, plain: bool
) -> None:
    url, shadow = owned_database(), owned_database()
    for each in (url, shadow):
        with_vector(each, admin)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(VECTOR_ROWS)
    if not plain:
        known = {"user": "postgres", "password": admin.info.password}
        url, shadow = (make_conninfo(each, **known) for each in (url, shadow))
    before = objects(shadow)
    (tmp_path / "schema.sql").write_text(create + VECTOR_FILE)
    with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, shadow=shadow)) as project:
        made = project.plan()
        assert {c.object for c in made.changes} == {"public.t.n", "public.t_v_idx"}
        outcome = project.apply(made)
        assert outcome.left == ()
        assert outcome.rehearsal is not None
        assert outcome.rehearsal["converges"], outcome.rehearsal
        assert not project.plan().statements
    assert objects(shadow) == before


@pytest.mark.extension("vector")
def test_an_extension_of_the_shadow_alone_is_no_part_of_the_declared_state(
    owned_database: Callable[[], str], admin: Connection, tmp_path: Path
) -> None:
    url, shadow = owned_database(), owned_database()
    with_vector(shadow, admin)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (id int PRIMARY KEY, n int);\n")
    with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, shadow=shadow)) as project:
        made = project.rehearse(project.plan())
        assert {c.object for c in made.changes} == {"public.t.n"}
        assert made.rehearsal is not None
        assert made.rehearsal["converges"], made.rehearsal


@pytest.mark.extension("vector")
def test_an_extension_of_the_target_is_copied_into_the_embedded_shadow(
    owned_database: Callable[[], str], admin: Connection, tmp_path: Path, server_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if admin.info.server_version < 180000:
        pytest.skip("the embedded PostgreSQL is of another major version")
    monkeypatch.setenv("XDG_DATA_HOME", str(server_folder))
    url = owned_database()
    with_vector(url, admin)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(VECTOR_ROWS)
    (tmp_path / "schema.sql").write_text(VECTOR_FILE)
    with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, shadow="embedded")) as project:
        outcome = project.apply()
        assert outcome.left == ()
        assert outcome.rehearsal is not None
        assert outcome.rehearsal["converges"], outcome.rehearsal
        assert not project.plan().statements
