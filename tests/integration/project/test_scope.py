"""What is managed and what is left alone: schemas, roles, privileges, ignored and unmanaged objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import RefusedError
from novaops.project import Project
from tests.integration.project.conftest import column_type, consents, exists

Connection = psycopg.Connection[Any]

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(40) NOT NULL, legacy_id bigint);\n"
ANOTHER = "CREATE TABLE another (a int);\n"


# -- privileges and roles -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "granted", "declared", "expected"),
    [
        ("auto", "SELECT", "", {"SELECT"}),
        ("auto", "SELECT", "INSERT", {"INSERT"}),
        ("managed", "SELECT", "", set()),
        ("managed", "SELECT", "INSERT", {"INSERT"}),
        ("additive", "SELECT", "INSERT", {"SELECT", "INSERT"}),
        ("ignore", "SELECT", "INSERT", {"SELECT"}),
    ],
)
def test_privileges(
    live: Connection,
    declare: Callable[..., Project],
    role: Callable[[str], str],
    mode: str,
    granted: str,
    declared: str,
    expected: set[str],
) -> None:
    someone = role("someone")
    live.execute(f"CREATE TABLE t (a int); GRANT {granted} ON t TO {someone}")
    grant = f"GRANT {declared} ON t TO {someone};" if declared else ""
    project = declare(f"CREATE TABLE t (a int); {grant}", privileges=mode)
    made = project.plan()
    lost = {granted} - expected
    assert consents(made) == (["access-loss:public.t"] if lost else [])
    assert project.apply(made, allow=["access-loss"] if lost else []).left == ()
    rows = live.execute(
        "SELECT privilege_type FROM information_schema.table_privileges WHERE grantee = %s", [someone]
    ).fetchall()
    assert {privilege for (privilege,) in rows} == expected


def test_a_missing_role_is_an_error_unless_it_is_skipped(
    live: Connection, declare: Callable[..., Project]
) -> None:
    declared = "CREATE TABLE t (a int); GRANT SELECT ON t TO nobody_of_that_name;"
    with pytest.raises(DiagnosticsError, match="nobody_of_that_name"):
        declare(declared).plan()
    project = declare(declared, missing_roles="skip")
    assert project.apply().left == ()
    assert exists(live, "public.t")


# -- scope --------------------------------------------------------------------------------------


def test_another_schema_is_left_alone(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute("CREATE SCHEMA other; CREATE TABLE other.t (a int); CREATE TABLE gone (a int)")
    assert declare(ANOTHER).apply().left == ()
    assert exists(live, "other.t")
    assert not exists(live, "public.gone")


def test_what_is_declared_elsewhere_is_created_and_changed(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE SCHEMA other; CREATE TABLE other.t (a int); CREATE TABLE other.kept (a int)")
    declared = "CREATE SCHEMA other; CREATE TABLE other.t (a bigint); CREATE TABLE other.new (a int);"
    assert declare(declared, schemas=("public",)).apply().left == ()
    assert column_type(live, "other.t", "a") == "bigint"
    assert exists(live, "other.new")
    assert exists(live, "other.kept")


def test_the_whole_database_is_managed_on_demand(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute("CREATE SCHEMA other; CREATE TABLE other.t (a int)")
    project = declare(ANOTHER, scope="database")
    made = project.plan()
    assert {(c.operation, c.object) for c in made.changes} >= {("drop", "other")}
    assert project.apply(made, allow=consents(made)).left == ()
    assert not exists(live, "other.t")


def test_the_files_may_refer_to_what_others_manage(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(
        "CREATE SCHEMA other; CREATE TYPE other.state AS ENUM ('on', 'off');"
        "CREATE TABLE other.t (id int PRIMARY KEY, s other.state)"
    )
    declared = (
        "CREATE TABLE mine (id int REFERENCES other.t, s other.state DEFAULT 'on');"
        "CREATE VIEW both_of_them AS SELECT s FROM other.t UNION SELECT s FROM mine;"
    )
    project = declare(declared)
    assert {c.object for c in project.plan().changes} == {"public.mine", "public.both_of_them"}
    assert project.apply().left == ()
    assert project.plan().changes == ()


def test_an_unmanaged_object_in_the_way_is_named(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute(USERS + "CREATE SCHEMA other; CREATE VIEW other.v AS SELECT email FROM users")
    project = declare(USERS.replace("varchar(40)", "text"))
    made = project.plan()
    assert [h.hazard for h in made.blocked] == ["unmanaged-dependant"]
    with pytest.raises(RefusedError):
        project.apply(made)
    assert project.apply(project.plan(allow=["unmanaged-dependant"])).left == ()
    assert column_type(live, "other.v", "email") == "text"


def test_ignored_objects_are_never_touched(
    live: Connection, declare: Callable[..., Project], tmp_path: Path
) -> None:
    live.execute("CREATE TABLE tmp_load (a int); CREATE TABLE gone (a int); CREATE TABLE kept (a int)")
    ignore = tmp_path / ".pgschemaignore"
    ignore.write_text('[tables]\npatterns = ["tmp_*"]\n')
    project = declare("CREATE TABLE kept (a int); CREATE TABLE tmp_other (a int);", ignore_file=ignore)
    made = project.plan()
    assert [(c.operation, c.object) for c in made.changes] == [("drop", "public.gone")]
    assert made.skipped == ("public.tmp_load",)
    assert project.apply(made).left == ()
    assert exists(live, "public.tmp_load")
    assert not exists(live, "public.tmp_other")
