"""Both sides of a replicated table are changed while rows are written, and every row is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from novaops.project import Options, Project
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.pair import open_pair
from novaops.replication.set_up import set_up

from .changing import Writer, change, files, in_step
from .conftest import replication


@dataclass(frozen=True, slots=True)
class Case:
    """A table t from `old` to `new`; `rows` are written all the time, those of the old shape and of the new one."""

    old: str
    new: str
    rows: tuple[str, ...]
    steps: str
    """When the target changes: "before" the source, "after" it, and whether rows are brought into line ("copy")."""
    columns: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Lists of columns before and after, where they are declared."""

    def of(self, table: str, sql: str) -> str:
        """The SQL, about a table of its own."""
        sql = re.sub(r"\bt\b", table, sql)
        return re.sub(r"\b(mood|i)\b(?!')", rf"{table}_\1", sql)


def t(columns: str, then: str = "") -> str:
    return f"CREATE TABLE t (id serial PRIMARY KEY, {columns});{then}"


MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok'{});"
A = "INSERT INTO t (a) VALUES ('x')"
CASES = {
    "add a column": Case(
        t("a text"), t("a text, b text"),
        (A, "INSERT INTO t (a, b) VALUES ('x', 'y')", "UPDATE t SET b = 'z' WHERE id % 7 = 0"),
        "before",
    ),
    "add a column that is NOT NULL": Case(
        t("a text"), t("a text, b int NOT NULL DEFAULT 7"), (A, "INSERT INTO t (a, b) VALUES ('x', 9)"),
        "before",
    ),
    "add a column whose default is another on each side": Case(
        t("a text"), t("a text, b uuid NOT NULL DEFAULT gen_random_uuid(), c timestamptz DEFAULT clock_timestamp()"),
        (A, "UPDATE t SET a = 'y' WHERE id % 5 = 0"), "before copy",
    ),
    "drop a column": Case(
        t("a text, b text NOT NULL"), t("a text"), ("INSERT INTO t (a, b) VALUES ('x', 'y')", A),
        "before after",
    ),
    "wider types, of the key as well": Case(
        "CREATE TABLE t (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, a int, b varchar(3));",
        "CREATE TABLE t (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, a numeric, b text);",
        ("INSERT INTO t (a, b) VALUES (1, 'abc')", "INSERT INTO t (a, b) VALUES (1.25, 'abcdef')",
         "UPDATE t SET a = 2 WHERE id % 3 = 0"),
        "before",
    ),
    "narrower types": Case(
        t("a bigint, b text"), t("a int, b varchar(5)"),
        ("INSERT INTO t (a, b) VALUES (1, 'abc')", "UPDATE t SET a = 2 WHERE id % 3 = 0"),
        "after",
    ),
    "NOT NULL goes": Case(
        t("a text NOT NULL"), t("a text"), (A, "INSERT INTO t (a) VALUES (NULL)"), "before",
    ),
    "NOT NULL comes": Case(
        t("a text"), t("a text NOT NULL"), (A,), "after",
    ),
    "a label more": Case(
        MOOD.format("") + t("a mood"), MOOD.format(", 'fine'") + t("a mood"),
        ("INSERT INTO t (a) VALUES ('ok')", "INSERT INTO t (a) VALUES ('fine')"), "before",
    ),
    "a label in between": Case(
        MOOD.format("") + t("a mood"), MOOD.format("").replace("'ok'", "'so', 'ok'") + t("a mood"),
        ("INSERT INTO t (a) VALUES ('ok')", "INSERT INTO t (a) VALUES ('so')"), "before",
    ),
    "a label goes": Case(
        MOOD.format(", 'old'") + t("a mood"), MOOD.format("") + t("a mood"), ("INSERT INTO t (a) VALUES ('ok')",), "after",
    ),
    "a domain takes more and less": Case(
        "CREATE DOMAIN i AS int CONSTRAINT c CHECK (VALUE < 5);" + t("a i"),
        "CREATE DOMAIN i AS int CONSTRAINT c CHECK (VALUE < 9 AND VALUE > 0);" + t("a i"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (7)"), "before after",
    ),
    "a CHECK goes": Case(
        t("a int CHECK (a < 5)"), t("a int"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (9)"), "before",
    ),
    "a CHECK is another": Case(
        t("a int, CONSTRAINT c CHECK (a < 5)"), t("a int, CONSTRAINT c CHECK (a < 10 AND a > 0)"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (9)"), "before after",
    ),
    "a UNIQUE comes": Case(
        t("a text"), t("a text UNIQUE"), ("INSERT INTO t (a) VALUES (gen_random_uuid()::text)",),
        "after",
    ),
    "a UNIQUE goes, and a unique index": Case(
        t("a text UNIQUE, b text", "CREATE UNIQUE INDEX i ON t (b);"), t("a text, b text"),
        ("INSERT INTO t (a, b) VALUES (gen_random_uuid()::text, 'x')", A), "before",
    ),
    "a default": Case(
        t("a text, b text"), t("a text, b text DEFAULT 'x'"), (A,), "after",
    ),
    "a computed column": Case(
        t("a int"), t("a int, b int GENERATED ALWAYS AS (a + 1) STORED"), ("INSERT INTO t (a) VALUES (1)",),
        "after",
    ),
    "computed no more": Case(
        t("a int, b int GENERATED ALWAYS AS (a + 1) STORED"), t("a int, b int"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a, b) VALUES (1, 5)"), "before copy",
    ),
    "a list of columns gets longer and shorter": Case(
        t("a text, b text, secret text"), t("a text, c text, secret text"),
        (A, "INSERT INTO t (a, b) VALUES ('x', 'y')", "INSERT INTO t (a, c) VALUES ('x', 'z')"),
        "before after copy",
        (("id", "a", "b"), ("id", "a", "c")),
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


def test_rows_flow_while_both_sides_change(new_database: New, for_servers: Servers, tmp_path: Path) -> None:
    """Each case has a table of its own; all of them change at once."""
    cases = {re.sub(r"\W+", "_", name).lower(): case for name, case in CASES.items()}
    lists = [case.columns or (None, None) for case in cases.values()]
    before, after = (
        tuple(ReplicatedTable("public", name, names[side]) for name, names in zip(cases, lists, strict=True))
        for side in (0, 1)
    )
    old, new = ("".join(c.of(name, getattr(c, side)) for name, c in cases.items()) for side in ("old", "new"))
    rows = [case.of(name, row) for name, case in cases.items() for row in case.rows]
    source, target, declared = pair_of(new_database, for_servers, old, *before)
    with Writer(source, *rows) as writer:
        writer.wait(20)
        declared = replace(declared, tables=after)
        course, changed = change(declared, files(tmp_path, new), ["all"])
        writer.wait(20)
    assert [done.name for done in changed.done] == [
        "relax", "publish less", "source", "publish", "drain", "copy", "restrict",
    ]  # fmt: skip
    assert [row for row, count in writer.written.items() if not count] == []
    (leg,) = course.legs
    for name, case in cases.items():
        plans = {"before": leg.relax, "after": leg.restrict}
        steps = [
            word
            for word, plan in plans.items()
            if any(re.search(rf"\b{name}(_mood|_i)?\b", s.sql) for s in plan.statements)
        ]
        assert " ".join([*steps, *["copy"] * (f"public.{name}" in leg.copies)]) == case.steps, name
    in_step(declared)
    course, again = change(declared, tmp_path / "schema.sql")
    assert (course.todo, again.done) == (False, ())
    # What is not in a list of columns is the target's own affair.
    listed = [f" public.{name} " for name, case in cases.items() if case.columns]
    for url in (source, target):
        with Project(url, tmp_path / "schema.sql", Options(ignore_file=None)) as project:
            left = [s.sql for s in project.plan().statements]
        assert [sql for sql in left if url == source or not any(name in sql for name in listed)] == []


def test_a_filter_whose_column_goes(new_database: New, for_servers: Servers, tmp_path: Path) -> None:
    """PostgreSQL refuses to drop what a publication's filter reads: it is published without that first."""
    table = ReplicatedTable("public", "t", row_filter="b <> 'secret'")
    source, _, declared = pair_of(new_database, for_servers, t("a text, b text NOT NULL"), table)
    rows = ("INSERT INTO t (a, b) VALUES ('x', 'y')", "INSERT INTO t (a) VALUES ('x')")
    with Writer(source, *rows) as writer:
        writer.wait(10)
        declared = replace(declared, tables=(ReplicatedTable("public", "t"),))
        _, changed = change(declared, files(tmp_path, t("a text")), ["all"])
        writer.wait(10)
    assert [done.name for done in changed.done] == ["relax", "publish less", "source", "drain", "restrict"]
    assert all(writer.written.values())
    in_step(declared)


def test_a_wider_type_of_a_listed_column(new_database: New, for_servers: Servers, tmp_path: Path) -> None:
    """The table leaves the publication for that and comes back in one transaction, also where a label is added."""
    mood = MOOD.format("") + "CREATE TABLE other (m mood);"
    table = ReplicatedTable("public", "t", columns=("id", "a"))
    old, new = t("a int, secret text"), t("a bigint, secret text")
    source, _, declared = pair_of(new_database, for_servers, old + mood, table)
    mood = mood.replace("'ok'", "'ok', 'fine'")
    rows = ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (5000000000)")
    with Writer(source, *rows) as writer:
        writer.wait(10)
        _, changed = change(declared, files(tmp_path, new + mood), ["all"])
        writer.wait(10)
    assert [done.name for done in changed.done] == ["relax", "source", "drain"]
    assert all(writer.written.values())
    in_step(declared)
