"""What needs no consent is applied, the rest is left as it is, and so is what needs the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from novaops.project import Options, Project

BASE = "CREATE TABLE t (id int PRIMARY KEY, a text, gone int); CREATE VIEW v AS SELECT id, a FROM t;"
ROWS = "INSERT INTO t VALUES (1, 'x', 1), (2, NULL, 2);"
FREE = " CREATE TABLE fresh (id int);"


@dataclass(frozen=True, slots=True)
class Case:
    """From `old` to `new`, with rows: `left` are the changes that are left out, in their order."""

    new: str
    left: tuple[str, ...]
    old: str = BASE
    rows: str = ROWS


ENUM = "CREATE TYPE e AS ENUM ('x', 'y'); CREATE TABLE t (id int, a e);"
NOT_NULL = ("public.t.id", "t_id_not_null on public.t")

CASES = {
    "nothing": Case(BASE, ()),
    "dropped column": Case(BASE.replace(", gone int", ""), ("public.t.gone",)),
    "dropped table": Case("", ("public.t",)),
    "constraint that rows violate": Case(
        BASE.replace("gone int", "gone int CHECK (gone < 2)"), ("t_gone_check on public.t",)
    ),
    "key over NULLs": Case(
        "CREATE TABLE t (id int PRIMARY KEY, a text); CREATE TABLE u (t int REFERENCES t);",
        ("t_pkey on public.t", "u_t_fkey on public.u"),
        "CREATE TABLE t (id int, a text);", "INSERT INTO t VALUES (NULL, 'x');",
    ),
    "view over a column that is refused": Case(
        "CREATE TABLE t (id int PRIMARY KEY, a text, gone smallint);"
        " CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT gone FROM t;",
        ("public.t.gone", "public.w"),
        rows="INSERT INTO t VALUES (1, 'x', 70000);",
    ),
    "type that a dropped table is made of": Case("", ("public.t", "public.e"), ENUM, "INSERT INTO t VALUES (1, 'x');"),
    "column of an enum that loses a label": Case(
        ENUM.replace("'x', ", ""), ("public.e",), ENUM, "INSERT INTO t VALUES (1, 'x');"
    ),
    "name of a table that stays": Case(
        "CREATE VIEW t AS SELECT 1 AS id;", ("public.t", "public.t"), "CREATE TABLE t (id int);",
        "INSERT INTO t VALUES (1);",
    ),
    "name of a view that somebody reads": Case(
        BASE.replace("CREATE VIEW", "CREATE MATERIALIZED VIEW"), ("public.v", "public.v"),
        BASE + " GRANT SELECT ON v TO pg_monitor;",
    ),
    "foreign key to a key over duplicates": Case(
        "CREATE TABLE t (id int PRIMARY KEY, a text UNIQUE); CREATE TABLE u (a text REFERENCES t (a));",
        ("t_a_key on public.t", "u_a_fkey on public.u"),
        "CREATE TABLE t (id int PRIMARY KEY, a text);",
        "INSERT INTO t VALUES (1, 'x'), (2, 'x');",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_left_out(new_database: Callable[..., str], tmp_path: Path, name: str) -> None:
    case = CASES[name]
    url = new_database("safe")
    (tmp_path / "schema.sql").write_text(case.new + FREE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(case.old + case.rows)
        before = connection.execute("SELECT * FROM t").fetchall()
        with Project(url, tmp_path / "schema.sql", Options(ignore_file=None, undeclared="drop")) as project:
            plan = project.plan(safe_only=True)
            # What a NOT NULL is, the column's or an object of its own, depends on the version.
            left = (change.object for change in plan.left_out)
            assert tuple(name for name in left if name not in NOT_NULL) == case.left
            assert plan.blocked == ()
            outcome = project.apply(plan)
            assert outcome.left == ()
            assert outcome.rehearsal is not None
            assert outcome.rehearsal["converges"]
            assert connection.execute("SELECT to_regclass('fresh')").fetchone() != (None,)
            assert connection.execute("SELECT * FROM t").fetchall() == before
            again = project.plan(safe_only=True)
            assert again.statements == ()
            assert [c.object for c in again.left_out] == [c.object for c in plan.left_out]


def test_pg_dump_is_not_blamed_on_the_files(new_database: Callable[..., str], tmp_path: Path) -> None:
    url, file = new_database("partial"), tmp_path / "schema.sql"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(BASE + ROWS)
    file.write_text(BASE.replace(", gone int", "") + FREE)
    with Project(url, file, Options(ignore_file=None)) as project:
        told = project.rehearse(project.plan(safe_only=True)).rehearsal
    assert told is not None
    assert told["converges"]
    assert told["pg_dump"] == (
        "was not asked: a part of what the files declare is applied, and it reads all of it"
    )
