"""The library: a project plans, proves and applies; it loses nothing without consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

import novaops
from novaops.db.advisory_lock import advisory_lock
from novaops.desired import shadow
from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.project import Options, Outcome, Project
from tests.integration.project.conftest import column_type, consents, exists

Connection = psycopg.Connection[Any]

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(40) NOT NULL, legacy_id bigint);\n"
WITHOUT_LEGACY = USERS.replace(", legacy_id bigint", "")
EMPTY = "CREATE TABLE empty_one (a int);\n"
ANOTHER = "CREATE TABLE another (a int);\n"
PLAIN = Options(ignore_file=None)


def sql(made: novaops.Plan) -> list[str]:
    return [statement.sql for statement in made.statements]


# -- plan and apply -----------------------------------------------------------------------------


def test_apply_then_nothing_is_left_to_do(live: Connection, declare: Callable[..., Project]) -> None:
    project = declare(USERS)
    first = project.apply()
    assert (first.statements, first.left) == (1, ())
    assert exists(live, "public.users")
    made = project.plan()
    assert (made.changes, made.statements) == ((), ())
    assert project.apply() == Outcome(0, 0.0)


def test_a_plan_changes_nothing(live: Connection, declare: Callable[..., Project]) -> None:
    project = declare(USERS)
    before = project.inspect()
    assert project.plan().summary == {"create": 1, "alter": 0, "drop": 0, "replace": 0, "rename": 0}
    assert project.inspect() == before
    assert not exists(live, "public.users")


def test_the_steps_are_functions_too(url: str, tmp_path: Path) -> None:
    file = tmp_path / "schema.sql"
    file.write_text(USERS)
    empty = novaops.inspect(url)
    assert sql(novaops.plan(url, file, PLAIN))[0].startswith("CREATE TABLE public.users (")
    rehearsal = novaops.rehearse(url, file, PLAIN).rehearsal
    assert rehearsal is not None
    assert rehearsal["converges"]
    assert novaops.inspect(url) == empty
    assert novaops.apply(url, file, PLAIN).left == ()
    changes = novaops.diff(empty, novaops.inspect(url))
    assert ("table", ("public", "users")) in {(c.address.type, c.address.names) for c in changes}
    assert novaops.diff(empty, empty) == []


def test_dump_declares_what_there_is(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(USERS + "CREATE VIEW emails AS SELECT email FROM users WHERE email IN ('a', 'b')")
    dump = declare("").dump()
    assert "CREATE VIEW public.emails" in dump
    assert declare(dump).plan().changes == ()


def test_an_enum_label_is_added(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (m mood DEFAULT 'sad')")
    live.execute("INSERT INTO t VALUES ('happy')")
    declared = "CREATE TYPE mood AS ENUM ('sad', 'so-so', 'happy'); CREATE TABLE t (m mood DEFAULT 'so-so');"
    assert declare(declared).apply().left == ()
    assert live.execute("SELECT m FROM t").fetchall() == [("happy",)]
    assert live.execute("INSERT INTO t DEFAULT VALUES RETURNING m").fetchall() == [("so-so",)]


def test_a_view_over_a_column_that_changes_type_is_rebuilt_as_it_was(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str]
) -> None:
    reader = role("reader")
    live.execute(USERS + "CREATE VIEW emails AS SELECT id, email FROM users")
    live.execute(f"GRANT SELECT ON emails TO {reader}; COMMENT ON VIEW emails IS 'addresses'")
    live.execute(f"GRANT UPDATE (email) ON emails TO {reader}; COMMENT ON COLUMN emails.email IS 'where to'")
    live.execute("INSERT INTO users VALUES (1, 'a@b', 7)")
    before = live.execute("SELECT relacl::text FROM pg_class WHERE relname = 'emails'").fetchall()
    declared = USERS.replace("varchar(40)", "text") + (
        "CREATE VIEW emails AS SELECT id, email FROM users; COMMENT ON VIEW emails IS 'addresses';"
        "COMMENT ON COLUMN emails.email IS 'where to';"
    )
    project = declare(declared)
    made = project.plan()
    assert {(c.operation, c.object) for c in made.changes} >= {("replace", "public.emails")}
    assert project.apply(made).left == ()
    assert column_type(live, "emails", "email") == "text"
    assert live.execute("SELECT relacl::text FROM pg_class WHERE relname = 'emails'").fetchall() == before
    comments = live.execute(
        "SELECT obj_description('emails'::regclass), col_description('emails'::regclass, 2),"
        " has_column_privilege(%s, 'emails', 'email', 'UPDATE')",
        [reader],
    ).fetchone()
    assert comments == ("addresses", "where to", True)
    assert live.execute("SELECT * FROM emails").fetchall() == [(1, "a@b")]


# -- consent ------------------------------------------------------------------------------------


def test_an_empty_table_is_dropped_without_consent(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(EMPTY)
    assert declare(ANOTHER).apply().left == ()
    assert not exists(live, "public.empty_one")


def test_a_table_with_rows_is_not(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(USERS + EMPTY)
    live.execute("INSERT INTO users VALUES (1, 'a', 1)")
    project = declare(ANOTHER)
    before = project.inspect()
    made = project.plan()
    assert consents(made) == ["data-loss:public.users"]
    assert (made.blocked[0].affected, made.blocked[0].code) == (1, "H101")
    with pytest.raises(RefusedError, match=r"data-loss:public\.users") as refused:
        project.apply(made)
    assert refused.value.hint == "to go on: novaops apply --allow data-loss:public.users"
    assert project.inspect() == before
    assert live.execute("SELECT count(*) FROM users").fetchone() == (1,)


@pytest.mark.parametrize(
    ("allow", "agreed"),
    [
        ("data-loss:public.users.legacy_id", True),
        ("H101:public.users.legacy_id", True),
        ("data-loss", True),
        ("all", True),
        ("data-loss:public.users", False),
        ("data-loss:public.users.email", False),
        ("narrowing", False),
    ],
)
def test_consent_is_by_name(
    live: Connection, declare: Callable[..., Project], allow: str, agreed: bool
) -> None:
    live.execute(USERS)
    live.execute("INSERT INTO users VALUES (1, 'a', 1), (2, 'b', NULL)")
    project = declare(WITHOUT_LEGACY)
    if agreed:
        assert project.apply(allow=[allow]).left == ()
    else:
        with pytest.raises(RefusedError):
            project.apply(allow=[allow])
    columns = [c.name for c in live.execute("SELECT * FROM users LIMIT 0").description or ()]
    assert ("legacy_id" in columns) is not agreed


def test_a_row_that_comes_after_the_plan_stops_the_drop(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(EMPTY)
    project = declare(ANOTHER)
    made = project.plan()
    assert made.blocked == ()
    live.execute("INSERT INTO empty_one VALUES (1)")
    with pytest.raises(
        RefusedError, match=r"data-loss:public\.empty_one was no hazard when the plan was made"
    ):
        project.apply(made)
    assert live.execute("SELECT a FROM empty_one").fetchall() == [(1,)]
    assert not exists(live, "public.another")


def test_a_plan_is_bound_to_what_it_was_made_from(live: Connection, declare: Callable[..., Project]) -> None:
    project = declare(USERS)
    made = project.plan()
    live.execute("CREATE TABLE meanwhile (a int)")
    with pytest.raises(TargetChangedError):
        project.apply(made)
    assert not exists(live, "public.users")


# -- proof --------------------------------------------------------------------------------------


def test_a_rehearsal_shows_locks_and_rewrites(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(USERS + "CREATE TABLE other (a int)")
    declared = USERS.replace("legacy_id bigint", "legacy_id text") + "CREATE TABLE other (a int, b int);"
    project = declare(declared)
    made = project.rehearse(project.plan())
    assert made.rehearsal is not None
    assert made.rehearsal["converges"]
    (rewrite,) = (s for s in made.statements if "ALTER COLUMN legacy_id" in s.sql)
    assert rewrite.rewrites == ("public.users",)
    assert rewrite.locks == ("public.users AccessExclusiveLock",)
    (added,) = (s for s in made.statements if "ADD COLUMN b" in s.sql)
    assert (added.rewrites, added.scans) == ((), ())
    assert column_type(live, "users", "legacy_id") == "bigint"


def test_a_statement_that_fails_is_found_in_the_rehearsal(
    live: Connection, declare: Callable[..., Project]
) -> None:
    project = declare(USERS + "CREATE TABLE other (a int);")
    made = project.plan()
    broken = replace(made.statements[-1], sql="ALTER TABLE public.nowhere ADD a int")
    with pytest.raises(NovaopsError, match="nothing was applied") as failed:
        project.apply(replace(made, statements=(*made.statements[:-1], broken)))
    assert "public.nowhere" in str(failed.value.detail)
    assert not exists(live, "public.users")
    assert not exists(live, "public.other")


def test_the_shadow_is_gone_after_an_error(
    live: Connection, declare: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    create = shadow._create

    def watched(maintenance: Connection, name: str, *rest: Any) -> None:
        create(maintenance, name, *rest)
        made.append(name)

    monkeypatch.setattr(shadow, "_create", watched)
    with pytest.raises(DiagnosticsError, match="nowhere"):
        declare("CREATE VIEW v AS SELECT * FROM nowhere;").plan()
    assert len(made) == 1
    left = live.execute("SELECT datname FROM pg_database WHERE datname = ANY (%s)", [made]).fetchall()
    assert left == []


def test_one_apply_at_a_time(live: Connection, declare: Callable[..., Project]) -> None:
    project = declare(USERS)
    with advisory_lock(live), pytest.raises(NovaopsError, match="another novaops is changing"):
        project.apply()
    assert not exists(live, "public.users")
    assert project.apply().left == ()
