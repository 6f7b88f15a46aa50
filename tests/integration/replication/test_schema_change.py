"""Both sides of a replicated table are changed while rows are written, and every row is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from novaops.project import Options, Project
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.pair import open_pair
from novaops.replication.set_up import set_up

from .changing import Writer, change, files, in_step
from .conftest import replication

T = "CREATE TABLE t (id {serial} PRIMARY KEY, a {a} {more}{end}"
OLD = "INSERT INTO t (a) VALUES ({})"


@dataclass(frozen=True, slots=True)
class Case:
    """From `old` to `new`; the statements are written all the time, those of the old shape and of the new one."""

    old: str
    new: str
    rows: tuple[str, ...]
    steps: tuple[str, ...]
    """What is done before the proof."""
    allow: tuple[str, ...] = ()
    columns: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Lists of columns before and after, where they are declared."""

    @property
    def first(self) -> str:
        """Writes some rows of the old shape."""
        return f"DO $$BEGIN FOR i IN 1..20 LOOP {self.rows[0]}; END LOOP; EXCEPTION WHEN integrity_constraint_violation THEN END$$"


def t(columns: str, then: str = "") -> str:
    return f"CREATE TABLE t (id serial PRIMARY KEY, {columns});{then}"


MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok'{});"
A = "INSERT INTO t (a) VALUES ('x')"
CASES = {
    "add a column": Case(
        t("a text"), t("a text, b text"),
        (A, "INSERT INTO t (a, b) VALUES ('x', 'y')", "UPDATE t SET b = 'z' WHERE id % 7 = 0"),
        ("relax", "source", "drain"),
    ),
    "add a column that is NOT NULL": Case(
        t("a text"), t("a text, b int NOT NULL DEFAULT 7"), (A, "INSERT INTO t (a, b) VALUES ('x', 9)"),
        ("relax", "source", "drain"),
    ),
    "add a column whose default is another on each side": Case(
        t("a text"), t("a text, b uuid NOT NULL DEFAULT gen_random_uuid(), c timestamptz DEFAULT clock_timestamp()"),
        (A, "UPDATE t SET a = 'y' WHERE id % 5 = 0"), ("relax", "source", "drain", "copy"), ("rewrite",),
    ),
    "drop a column": Case(
        t("a text, b text NOT NULL"), t("a text"), ("INSERT INTO t (a, b) VALUES ('x', 'y')", A),
        ("relax", "source", "drain", "restrict"), ("data-loss:public.t.b",),
    ),
    "wider types, of the key as well": Case(
        "CREATE TABLE t (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, a int, b varchar(3));",
        "CREATE TABLE t (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, a numeric, b text);",
        ("INSERT INTO t (a, b) VALUES (1, 'abc')", "INSERT INTO t (a, b) VALUES (1.25, 'abcdef')",
         "UPDATE t SET a = 2 WHERE id % 3 = 0"),
        ("relax", "source", "drain"), ("rewrite", "table-lock", "offline"),
    ),
    "narrower types": Case(
        t("a bigint, b text"), t("a int, b varchar(5)"),
        ("INSERT INTO t (a, b) VALUES (1, 'abc')", "UPDATE t SET a = 2 WHERE id % 3 = 0"),
        ("source", "drain", "restrict"), ("rewrite", "table-lock"),
    ),
    "NOT NULL goes": Case(
        t("a text NOT NULL"), t("a text"), (A, "INSERT INTO t (a) VALUES (NULL)"), ("relax", "source", "drain"),
    ),
    "NOT NULL comes": Case(
        t("a text"), t("a text NOT NULL"), (A,), ("source", "drain", "restrict"),
    ),
    "a label more": Case(
        MOOD.format("") + t("a mood"), MOOD.format(", 'fine'") + t("a mood"),
        ("INSERT INTO t (a) VALUES ('ok')", "INSERT INTO t (a) VALUES ('fine')"), ("relax", "source", "drain"),
    ),
    "a label in between": Case(
        MOOD.format("") + t("a mood"), MOOD.format("").replace("'ok'", "'so', 'ok'") + t("a mood"),
        ("INSERT INTO t (a) VALUES ('ok')", "INSERT INTO t (a) VALUES ('so')"), ("relax", "source", "drain"),
    ),
    "a CHECK goes": Case(
        t("a int CHECK (a < 5)"), t("a int"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (9)"), ("relax", "source", "drain"),
    ),
    "a CHECK is another": Case(
        t("a int, CONSTRAINT c CHECK (a < 5)"), t("a int, CONSTRAINT c CHECK (a < 10 AND a > 0)"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (9)"), ("relax", "source", "drain", "restrict"),
    ),
    "a UNIQUE comes": Case(
        t("a text"), t("a text UNIQUE"), ("INSERT INTO t (a) VALUES (gen_random_uuid()::text)",),
        ("source", "drain", "restrict"),
    ),
    "a UNIQUE goes, and a unique index": Case(
        t("a text UNIQUE, b text", "CREATE UNIQUE INDEX i ON t (b);"), t("a text, b text"),
        ("INSERT INTO t (a, b) VALUES (gen_random_uuid()::text, 'x')", A), ("relax", "source", "drain"),
    ),
    "a default": Case(
        t("a text, b text"), t("a text, b text DEFAULT 'x'"), (A,), ("source", "drain", "restrict"),
    ),
    "a computed column": Case(
        t("a int"), t("a int, b int GENERATED ALWAYS AS (a + 1) STORED"), ("INSERT INTO t (a) VALUES (1)",),
        ("source", "drain", "restrict"), ("rewrite", "table-lock"),
    ),
    "computed no more": Case(
        t("a int, b int GENERATED ALWAYS AS (a + 1) STORED"), t("a int, b int"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a, b) VALUES (1, 5)"), ("relax", "source", "drain", "copy"),
    ),
    "a list of columns gets longer and shorter": Case(
        t("a text, b text, secret text"), t("a text, c text, secret text"),
        (A, "INSERT INTO t (a, b) VALUES ('x', 'y')", "INSERT INTO t (a, c) VALUES ('x', 'z')"),
        ("relax", "publish less", "source", "publish", "drain", "copy", "restrict"), ("data-loss:public.t.b",),
        (("id", "a", "b"), ("id", "a", "c")),
    ),
    "a wider type of a listed column": Case(
        t("a int, secret text"), t("a bigint, secret text"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (5000000000)"),
        ("relax", "source", "drain"), ("rewrite", "table-lock"), (("id", "a"), ("id", "a")),
    ),
}  # fmt: skip

New = Callable[..., str]
Servers = Callable[[str], Mapping[str, str]]


def pair_of(
    new_database: New, for_servers: Servers, sql: str, *tables: ReplicatedTable
) -> tuple[str, str, Replication]:
    """Two databases with that schema, replicated."""
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.encode())
    declared = replication(source, target, for_servers(source), *tables or (ReplicatedTable("public", "t"),))
    with open_pair(declared) as pair:
        set_up(pair, declared)
    return source, target, declared


@pytest.mark.parametrize("name", CASES)
def test_rows_flow_while_both_sides_change(
    name: str, new_database: New, for_servers: Servers, tmp_path: Path
) -> None:
    case = CASES[name]
    before, after = case.columns or (None, None)
    table = ReplicatedTable("public", "t", columns=before)
    source, target, declared = pair_of(new_database, for_servers, case.old, table)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(case.first.encode())
    declared = replace(declared, tables=(ReplicatedTable("public", "t", columns=after),))
    file = files(tmp_path, case.new)
    with Writer(source, *case.rows) as writer:
        _, changed = change(declared, file, case.allow)
    assert tuple(done.name for done in changed.done) == case.steps
    assert all(writer.written.values()), writer.written
    in_step(declared)
    course, again = change(declared, file)
    assert (course.todo, again.done) == (False, ())
    if case.columns is None:
        for url in (source, target):
            with Project(url, file, Options(ignore_file=None)) as project:
                assert [s.sql for s in project.plan().statements] == []
