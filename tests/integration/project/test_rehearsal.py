"""The rehearsal: what it sees of each statement, whom it asks, and what it does where it cannot be."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from novaops.db.embedded import EmbeddedServer
from novaops.errors import NovaopsError, TargetChangedError, UsageError
from novaops.execution import pg_dump
from novaops.execution.rehearsal import Rehearsal
from novaops.planning.plan import Plan
from novaops.progress import Silent
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
PLAIN = Options(ignore_file=None)
T = "CREATE TABLE t (a int PRIMARY KEY, b text);\n"


def verdict(made: Plan) -> Rehearsal:
    return Rehearsal.of(made.rehearsal)


# -- what it sees -------------------------------------------------------------------------------


@pytest.mark.parametrize("shadow", ["server", "borrowed"])
def test_tables_that_are_read_as_a_whole_are_named(
    live: Connection, declare: Callable[..., Project], new_database: Callable[..., str], shadow: str
) -> None:
    live.execute(T + "CREATE INDEX ON t (b)")
    place = new_database("shadow") if shadow == "borrowed" else shadow
    project = declare(
        T.replace("b text", "b text, CHECK (a > 0)")
        + "CREATE INDEX ON t (b); COMMENT ON TABLE t IS 'not read';",
        shadow=place,
    )
    made = project.rehearse(project.plan())
    seen = {s.sql.split()[0]: s.scans for s in made.statements}
    assert seen == {"ALTER": ("public.t",), "COMMENT": ()}


def test_the_locks_of_what_runs_outside_a_transaction_are_documented_ones(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(T + "INSERT INTO t VALUES (1)")
    project = declare(T + "CREATE INDEX i ON t (b);")
    (statement,) = project.rehearse(project.plan()).statements
    assert statement.sql.startswith("CREATE INDEX CONCURRENTLY")
    assert statement.locks == ("SHARE UPDATE EXCLUSIVE (documented)",)


def test_an_index_is_built_in_a_borrowed_database_as_well(
    live: Connection, declare: Callable[..., Project], new_database: Callable[..., str]
) -> None:
    live.execute(T + "INSERT INTO t VALUES (1)")
    project = declare(T + "CREATE INDEX i ON t (b);", shadow=new_database("shadow"))
    made = project.rehearse(project.plan())
    assert verdict(made).converges, verdict(made)
    assert verdict(made).pg_dump.startswith("was not asked")
    assert project.apply().left == ()


def test_a_label_that_is_used_at_once_is_proven_in_a_borrowed_database_or_asked_about(
    live: Connection, declare: Callable[..., Project], new_database: Callable[..., str]
) -> None:
    live.execute("CREATE TYPE e AS ENUM ('a'); CREATE TABLE u (e e)")
    wanted = "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE u (e e DEFAULT 'b');"
    project = declare(wanted, shadow=new_database("shadow"))
    made = project.rehearse(project.plan())
    assert verdict(made).converges == (live.info.server_version >= 170000)
    assert not verdict(made).failed
    assert project.apply(unproven=lambda _: True).left == ()


def test_a_rehearsal_leaves_no_role_behind(live: Connection, declare: Callable[..., Project]) -> None:
    role = f"novaops_test_{secrets.token_hex(4)}"
    project = declare(f"{T} GRANT SELECT ON t TO {role};", missing_roles="create")
    made = project.rehearse(project.plan())
    assert verdict(made).converges, verdict(made)
    assert live.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None
    try:
        assert project.apply(made).left == ()
    finally:
        live.execute(f"DROP TABLE IF EXISTS t; DROP ROLE IF EXISTS {role}")


def test_a_rehearsal_reaches_no_publisher(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(
        "CREATE SUBSCRIPTION novaops_rehearsed CONNECTION 'host=127.0.0.1 port=1'"
        " PUBLICATION p WITH (connect = false, slot_name = 'of_somebody')"
    )
    project = declare(T, scope="database")
    made = project.rehearse(project.plan())
    assert verdict(made).converges, verdict(made)
    assert verdict(made).not_run == ("DROP SUBSCRIPTION novaops_rehearsed",)
    assert [s.sql for s in made.statements if s.transaction is None] == list(verdict(made).not_run)


# -- pg_dump ------------------------------------------------------------------------------------


def test_pg_dump_agrees_about_what_converges(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(T + "CREATE SCHEMA beside; CREATE TABLE beside.t (a int); CREATE PUBLICATION p FOR TABLE t")
    project = declare(
        "CREATE TABLE t (b text DEFAULT 'x', a int PRIMARY KEY);\n"
        "CREATE VIEW v AS SELECT b FROM t WHERE b IN ('a', 'b');\nCREATE PUBLICATION q FOR TABLE t;"
    )
    assert verdict(project.rehearse(project.plan())).pg_dump == "agrees"


def test_what_only_pg_dump_sees_stops_an_apply(
    live: Connection, declare: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    live.execute(T + "CREATE TABLE u (a int)")
    project = declare(T.replace("b text", "b text DEFAULT 'x'") + "CREATE TABLE u (a int, b int);")
    made = project.plan()
    (forgotten,) = (s for s in made.statements if s.object == "public.u.b")
    short = replace(made, statements=tuple(s for s in made.statements if s is not forgotten))
    monkeypatch.setattr("novaops.execution.rehearse.diff", lambda *_: {})  # a catalog that misses something
    with pytest.raises(NovaopsError, match="nothing was applied") as failed:
        project.apply(short)
    assert "pg_dump disagrees: TABLE public.u" in str(failed.value.detail)
    assert live.execute("SELECT count(*) FROM pg_attrdef").fetchone() == (0,)
    assert project.apply(made).left == ()


def test_pg_dump_has_no_say_about_what_is_ignored(
    live: Connection, declare: Callable[..., Project], tmp_path: Path
) -> None:
    (tmp_path / "ignore").write_text('[tables]\npatterns = ["temp_*"]\n')
    live.execute(T + "CREATE TABLE temp_a (a int); CREATE INDEX ON temp_a (a)")
    project = declare(
        T.replace("b text", "b text, c int")
        + "CREATE TABLE temp_a (other text); CREATE TABLE temp_b (a int);",
        ignore_file=tmp_path / "ignore",
    )
    assert verdict(project.rehearse(project.plan())).pg_dump == "agrees"


def test_without_pg_dump_the_verdict_says_so(
    live: Connection, declare: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_dump, "_candidates", lambda: iter([("/nowhere/pg_dump",)]))
    pg_dump.find.cache_clear()
    project = declare(T)
    try:
        made = project.rehearse(project.plan())
    finally:
        pg_dump.find.cache_clear()
    assert str(verdict(made)) == "rehearsed on a copy: converges; pg_dump was not at hand"


def test_a_password_is_never_an_argument_of_pg_dump(
    url: str, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/arguments; test "$PGPASSWORD" = secret-1 || exit 3\n'
    )
    program.chmod(0o755)
    role = f"novaops_test_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as superuser:
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret-1'").format(sql.Identifier(role)))
        try:
            with psycopg.connect(url, user=role, password="secret-1", passfile=os.devnull) as connection:
                assert pg_dump.dump((str(program),), connection) == {}
        finally:
            superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert role in (tmp_path / "arguments").read_text()
    assert "secret-1" not in (tmp_path / "arguments").read_text()


# -- a role that owns the database, and nothing more --------------------------------------------


@pytest.fixture
def owner(live: Connection, url: str) -> Iterator[str]:
    """The URL of a role that may make databases and owns this one, in which others have made what it may not."""
    role = f"novaops_test_{secrets.token_hex(4)}"
    live.execute(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'x'")
    live.execute(f"ALTER DATABASE {live.info.dbname} OWNER TO {role}")
    live.execute(
        f"CREATE ROLE {role}_other; ALTER DEFAULT PRIVILEGES FOR ROLE {role}_other GRANT SELECT ON TABLES TO PUBLIC"
    )
    live.execute(
        "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION watch(); CREATE PUBLICATION every FOR ALL TABLES"
    )
    yield psycopg.conninfo.make_conninfo(url, user=role, password="x")
    live.execute(f"ALTER DATABASE {live.info.dbname} OWNER TO CURRENT_USER; DROP EVENT TRIGGER IF EXISTS e")
    live.execute(f"DROP OWNED BY {role}, {role}_other; DROP ROLE {role}, {role}_other")


def test_what_the_role_may_not_make_is_left_out_of_the_copy(
    declare: Callable[..., Project], owner: str
) -> None:
    project = declare("CREATE SCHEMA app; CREATE TABLE app.t (a int);", owner, schemas=("app",))
    made = project.rehearse(project.plan())
    assert verdict(made).converges, verdict(made)
    assert len(verdict(made).left_out) == 3
    assert "event trigger e" in verdict(made).left_out
    assert "publication every" in verdict(made).left_out
    assert project.apply(made).left == ()


def test_what_is_left_out_and_changed_is_not_called_proven(
    declare: Callable[..., Project], owner: str
) -> None:
    project = declare("", owner, scope="database")
    found = verdict(project.rehearse(project.plan(("all",))))
    assert not found.faithful
    assert "which you may not make" in str(found)


@pytest.mark.since(18, "embedded server of its version")
def test_roles_that_the_server_of_the_copy_lacks_are_there_while_it_is(
    live: Connection, declare: Callable[..., Project], server_folder: Path
) -> None:
    role = f"novaops test {secrets.token_hex(4)}"
    live.execute(f'{T} CREATE ROLE "{role}"; GRANT SELECT ON t TO "{role}"; CREATE POLICY p ON t TO "{role}"')
    server = EmbeddedServer(server_folder / "other")
    try:
        server.start()
        project = declare("CREATE TABLE t (a int PRIMARY KEY, b text, c int);", shadow=server.url())
        assert verdict(project.rehearse(project.plan())).converges
        with psycopg.connect(server.url()) as other:
            assert other.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None
    finally:
        server.stop()
        live.execute(f'DROP TABLE t; DROP ROLE "{role}"')


# -- where there can be none --------------------------------------------------------------------


def test_a_copy_that_is_not_faithful_is_asked_about(
    live: Connection, declare: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    live.execute(T)
    monkeypatch.setattr("novaops.execution.copy.Stage.copy", lambda *_: None)
    asked: list[str] = []
    project = declare(T + "CREATE TABLE u ();")
    with pytest.raises(UsageError, match="could not be tried on a copy") as refused:
        project.apply()
    assert refused.value.exit_code == 2
    assert "--no-rehearse" in str(refused.value.hint)
    assert live.execute("SELECT to_regclass('u')").fetchone() == (None,)
    assert project.apply(unproven=lambda why: bool(asked.append(why)) or True).left == ()
    (why,) = asked
    assert "the copy differs from the live schema" in why


def test_who_may_make_no_database_is_asked_about_a_plan_of_a_file(
    live: Connection, server_url: str, url: str, declare: Callable[..., Project]
) -> None:
    role = f"novaops_test_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        live.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
        made = declare(T, privileges="ignore").plan()
        try:
            project = declare("", psycopg.conninfo.make_conninfo(url, user=role, password="x"), journal=False)
            with pytest.raises(UsageError) as refused:
                project.apply(replace(made, target=project.target()))
            assert "lacks CREATEDB" in str(refused.value.detail)
            assert project.apply(replace(made, target=project.target()), rehearse=False).statements == 1
        finally:
            live.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


# -- plans of files -----------------------------------------------------------------------------


def test_a_plan_of_a_file_is_rehearsed_by_its_fingerprint(
    live: Connection, declare: Callable[..., Project], url: str
) -> None:
    live.execute(T + "CREATE SCHEMA beside; CREATE TABLE beside.t (a int)")
    project = declare(T.replace("b text", "b text, c int"))
    made = project.plan()
    with Project(url, "no-such-file.sql", PLAIN) as other:
        unknown = verdict(other.rehearse(made))
        assert (unknown.ran, unknown.compared, unknown.converges) == (True, False, False)
        known = verdict(other.rehearse(project.rehearse(made)))
        assert known.converges
        assert other.apply(made).statements == 1


def test_a_plan_of_a_file_that_fails_on_the_copy_is_not_applied(
    live: Connection, declare: Callable[..., Project], url: str
) -> None:
    made = declare(T + "CREATE TABLE u (a int);").plan()
    broken = replace(made.statements[-1], sql="ALTER TABLE public.nowhere ADD a int")
    with (
        Project(url, "no-such-file.sql", PLAIN) as other,
        pytest.raises(NovaopsError, match="nothing was applied"),
    ):
        other.apply(replace(made, statements=(*made.statements[:-1], broken)))
    assert live.execute("SELECT to_regclass('t')").fetchone() == (None,)


# -- what happens meanwhile ---------------------------------------------------------------------


class Meddling(Silent):
    """Somebody who changes the database as soon as the plan has been rehearsed."""

    def __init__(self, live: Connection, change: str) -> None:
        self.live = live
        self.change = change

    def note(self, text: str) -> None:
        if text.startswith("rehearsed"):
            self.live.execute(self.change)


def test_a_change_made_during_the_rehearsal_is_not_overwritten(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int RETURN 1")
    project = declare("CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int RETURN 2;")
    made = project.plan()
    project.reporter = Meddling(live, "CREATE OR REPLACE FUNCTION f() RETURNS int RETURN 3")
    with pytest.raises(TargetChangedError, match="has changed since the plan was made; nothing was applied"):
        project.apply(made)
    assert live.execute("SELECT f()").fetchone() == (3,)


def test_what_changes_meanwhile_and_is_none_of_the_schema_stops_nothing(
    live: Connection, declare: Callable[..., Project]
) -> None:
    """The catalogs are others then, and what a plan looks at is not."""
    live.execute("CREATE TABLE t (a int)")
    project = declare("CREATE TABLE t (a int, b int);")
    made = project.plan()
    project.reporter = Meddling(
        live,
        "CREATE TABLE passing (); DROP TABLE passing; COMMENT ON TABLE t IS NULL; ALTER TABLE t ALTER a SET NOT NULL; ALTER TABLE t ALTER a DROP NOT NULL",
    )
    assert project.apply(made).left == ()


# -- what owners have taken from themselves -----------------------------------------------------

REVOKED = {
    "table": "CREATE TABLE o (a int); ALTER TABLE o OWNER TO {role}; REVOKE UPDATE ON o FROM {role};",
    "column": "CREATE TABLE o (a int, b int); ALTER TABLE o OWNER TO {role}; REVOKE ALL ON o FROM {role};"
    " GRANT SELECT (a) ON o TO {role};",
    "column of a view": "CREATE VIEW o AS SELECT 1 AS a, 2 AS b; ALTER VIEW o OWNER TO {role};"
    " GRANT SELECT (a) ON o TO {role};",
    "function": "CREATE FUNCTION o() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION o() OWNER TO {role};"
    " REVOKE ALL ON FUNCTION o() FROM {role}, PUBLIC;",
    "schema": "CREATE SCHEMA o; ALTER SCHEMA o OWNER TO {role}; REVOKE USAGE ON SCHEMA o FROM {role};",
}


@pytest.mark.parametrize("owners", ["ignore", "managed"])
@pytest.mark.parametrize("kind", REVOKED)
def test_rights_that_an_owner_has_taken_from_himself_are_copied(
    live: Connection, declare: Callable[..., Project], kind: str, owners: str
) -> None:
    role = f"novaops_own_{secrets.token_hex(4)}"
    live.execute(f"CREATE ROLE {role}")
    try:
        live.execute(REVOKED[kind].format(role=role) + "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        project = declare(REVOKED[kind].format(role=role) + "CREATE TABLE t (a int, b int);", owners=owners)
        made = project.rehearse(project.plan())
        assert [s.sql for s in made.statements] == ["ALTER TABLE public.t ADD COLUMN b integer"]
        assert verdict(made).converges, verdict(made)
    finally:
        live.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
