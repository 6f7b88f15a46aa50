"""A plan of a project whose functions are broken: what is an error, and what lies beside the files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.project import Options, Project

TABLE = "CREATE TABLE t (a int, b int);\n"
SUM = "CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(b) FROM t';\n"


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("functions")


@pytest.fixture
def project(url: str, tmp_path: Path) -> Callable[..., Project]:
    """`project(sql)` is one of the database with a file of that text."""

    def declared(text: str, **options: Any) -> Project:
        (tmp_path / "schema.sql").write_text(text)
        return Project(url, tmp_path / "schema.sql", Options(ignore_file=None, **options))

    return declared


def run(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET check_function_bodies = off")
        connection.execute(text)


def test_a_change_that_breaks_a_function_is_an_error(url: str, project: Callable[..., Project]) -> None:
    run(url, TABLE + SUM)
    narrower = TABLE.replace(", b int", "") + SUM
    with project(narrower) as broken, pytest.raises(DiagnosticsError) as error:
        broken.plan()
    assert [(d.source.line, d.code) for d in error.value.diagnostics] == [(2, "42703")]
    with project(narrower, check_functions="off") as unchecked:
        assert [c.object for c in unchecked.plan().changes] == ["public.t.b"]


def test_what_is_broken_already_is_only_named(url: str, project: Callable[..., Project]) -> None:
    missing = SUM.replace("(b)", "(c)")
    run(url, TABLE + missing)
    with project(TABLE + missing) as same:
        plan = same.plan()
    assert plan.statements == ()
    assert [n.rpartition("/")[2] for n in plan.notices] == [
        'schema.sql:2: warning: function public.total(): column "c" does not exist'
    ]
    with project(TABLE + missing.replace("sum", "max")) as changed, pytest.raises(DiagnosticsError):
        changed.plan()
    with project(TABLE + missing, check_functions="strict") as strict, pytest.raises(DiagnosticsError):
        strict.plan()


def test_a_function_may_use_what_others_manage(url: str, project: Callable[..., Project]) -> None:
    run(url, "CREATE SCHEMA other; CREATE TABLE other.t (b int)")
    with project(SUM.replace("FROM t", "FROM other.t")) as found:
        assert {c.object for c in found.plan().changes} == {"public.total()"}
        assert found.plan().notices == ()


def test_a_statement_may_use_what_others_manage(url: str, project: Callable[..., Project]) -> None:
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'"
        if connection.execute(query).fetchone() is None:
            pytest.skip("this server has no plpgsql_check")
    run(url, "CREATE SCHEMA other; CREATE TABLE other.t (b int)")
    body = "BEGIN RETURN (SELECT sum(b) FROM other.{}); END"
    text = "CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql AS $$ " + body + " $$;"
    with project(text.format("t")) as found:
        made = found.plan()
    assert {c.object for c in made.changes} == {"public.total()"}
    assert made.notices == ()
    with project(text.format("gone")) as missing:
        (notice,) = missing.plan().notices
    assert notice.endswith('relation "other.gone" does not exist')
