"""What is declared about names that are done, exchanged, contradicted, likely, or in renames.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.errors import UsageError
from novaops.planning.plan import Plan
from novaops.project import Project
from tests.integration.renames.conftest import sql

Make = Callable[..., Project]
Renamed = Callable[..., Plan]

B = "CREATE TABLE t (id int,\n b text -- novaops: renamed from a\n);\n"


def found(project: Project) -> Diagnostic:
    with pytest.raises(DiagnosticsError) as raised:
        project.plan()
    return raised.value.diagnostics[0]


def beside(project: Project, *entries: Any) -> Project:
    (Path(project.file).parent / "renames.json").write_text(json.dumps({"renames": entries}))
    return project


# -- done, or not to be done ---------------------------------------------------------------------


@pytest.mark.parametrize("old", ["CREATE TABLE t (id int, b text)", "CREATE TABLE t (id int)", ""])
def test_is_ignored_where_the_old_name_is_not_there(project: Make, old: str) -> None:
    assert not any("RENAME" in s for s in sql(project(old or "SELECT", B).plan()))


def test_is_ignored_where_the_old_name_is_declared_anew_and_both_are_there(project: Make) -> None:
    files = B.replace("id int,", "id int, a text,")
    assert project("CREATE TABLE t (id int, a text, b text)", files).plan().statements == ()


def test_both_names_are_there(project: Make) -> None:
    wrong = found(project("CREATE TABLE t (id int, a text, b text)", B))
    assert "both exist" in wrong.message
    assert (wrong.source.line, wrong.source.column) == (2, 9)
    assert wrong.text == " b text -- novaops: renamed from a"
    assert wrong.hint is not None
    assert "drop" in wrong.hint


def test_two_take_one_name(project: Make) -> None:
    files = "CREATE TABLE t (\n b text, -- novaops: renamed from a\n c text -- novaops: renamed from a\n);"
    assert "already" in found(project("CREATE TABLE t (a text)", files)).message


ALIKE = "CREATE TABLE t (\n a int, -- novaops: renamed from b\n b int -- novaops: renamed from a\n);"


def test_an_exchange_of_what_is_alike_cannot_be_told_from_one_that_is_done(project: Make) -> None:
    plan = project("CREATE TABLE t (a int, b int)", ALIKE).plan()
    assert plan.statements == ()
    assert any("cannot be told" in notice for notice in plan.notices)


def test_an_exchange_that_cannot_be_told_is_not_done(project: Make) -> None:
    assert "cannot be told" in found(project("CREATE TABLE t (a text, b text)", ALIKE)).message


def test_what_postgresql_refuses_is_said_at_the_line(project: Make) -> None:
    files = "CREATE TABLE p (b int);\nCREATE TABLE c (\n b int -- novaops: renamed from a\n) INHERITS (p);"
    wrong = found(project("CREATE TABLE p (b int); CREATE TABLE c (a int)", files))
    assert "cannot rename inherited column" in wrong.message
    assert wrong.source.line == 3


@pytest.mark.parametrize(
    ("files", "line", "says"),
    [
        ("CREATE TABLE t (a int,\n PRIMARY KEY (a) -- novaops: renamed from x\n);", 2, "no name"),
        (
            "CREATE TABLE t (a int);\n-- novaops: renamed from x\nGRANT SELECT ON t TO PUBLIC;",
            2,
            "makes nothing",
        ),
        ("CREATE TABLE t (\n a int -- novaops: renamed from s.x\n);", 2, "no schema"),
        ("CREATE TABLE t (\n a int -- novaops: renamed from x\n); ALTER TABLE t DROP a;", 2, "no column a"),
    ],
)
def test_what_refers_to_nothing_in_the_end_is_an_error(
    project: Make, files: str, line: int, says: str
) -> None:
    wrong = found(project("SELECT", files))
    assert says in wrong.message
    assert wrong.source.line == line


# -- likely --------------------------------------------------------------------------------------


def test_a_likely_rename_is_proposed_and_not_done(project: Make) -> None:
    project = project(
        "CREATE TABLE t (id int, a text)",
        "CREATE TABLE t (id int,\n b text);",
        "INSERT INTO t VALUES (1, 'x')",
    )
    plan = project.plan()
    assert sorted(c.operation for c in plan.changes) == ["create", "drop"]
    assert [h.consent for h in plan.blocked] == ["data-loss:public.t.a"]
    (notice,) = plan.notices
    assert notice.endswith(f"{project.file}:2: -- novaops: renamed from a")


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("CREATE TABLE x (a int, b text)", "CREATE TABLE y (a int, b text)", "x"),
        ("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
         "CREATE FUNCTION y() RETURNS int LANGUAGE sql AS 'SELECT 1'", "x"),
        ('CREATE TYPE "X y" AS ENUM (\'a\')', "CREATE TYPE y AS ENUM ('a')", '"X y"'),
    ],
)  # fmt: skip
def test_a_likely_rename_of_other_kinds_is_proposed(project: Make, old: str, new: str, name: str) -> None:
    notices = project(old, new).plan().notices
    assert any(notice.endswith(f"-- novaops: renamed from {name}") for notice in notices)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CREATE TABLE t (id int, a text)", "CREATE TABLE t (id int, b int)"),
        ("CREATE TABLE t (a text, c int, d int, e int)", "CREATE TABLE t (c int, d int, e int, b text)"),
        ("CREATE TABLE t (id int, a text, c text)", "CREATE TABLE t (id int, b text)"),
        ("CREATE TABLE x (a int)", "CREATE TABLE y (a int, b int)"),
    ],
)
def test_what_is_not_alike_is_not_proposed(project: Make, old: str, new: str) -> None:
    assert project(old, new).plan().notices == ()


# -- renames.json --------------------------------------------------------------------------------


def test_the_file_beside_the_schema_is_read(project: Make) -> None:
    changed = beside(
        project(
            "CREATE TABLE x (a int, c int)",
            "CREATE TABLE y (b int);",
            "INSERT INTO x VALUES (1, 2)",
        ),
        {"table": {"from": "x", "to": "y"}},
        {"table": "y", "column": {"from": "a", "to": "b"}},
        {"table": "public.y", "drop": "c", "reason": "kept elsewhere"},
    )
    plan = changed.plan()
    assert plan.blocked == ()
    assert plan.consents == {"data-loss:public.x.c": "kept elsewhere"}
    assert changed.apply(plan).left == ()
    assert changed.connection.execute("SELECT b FROM y").fetchall() == [(1,)]
    assert changed.plan().statements == ()


def test_renames_of_the_file_that_follow_each_other_are_one(project: Make) -> None:
    entries = (
        {"table": {"from": "x", "to": "y"}},
        {"table": "y", "column": {"from": "a", "to": "b"}},
        {"table": {"from": "y", "to": "z"}},
        {"table": "z", "column": {"from": "b", "to": "c"}},
    )
    for old in ("CREATE TABLE x (a int)", "CREATE TABLE y (b int)"):
        changed = beside(project(old, "CREATE TABLE z (c int);"), *entries)
        assert all("RENAME" in s for s in sql(changed.plan()))
        assert changed.apply().left == ()


def test_the_file_may_be_named(project: Make, tmp_path: Path) -> None:
    named = tmp_path / "other.json"
    named.write_text('{"renames":[{"table":{"from":"\\"X\\"","to":"y"}}]}')
    assert sql(project('CREATE TABLE "X" (a int)', "CREATE TABLE y (a int);", renames=named).plan()) == [
        'ALTER TABLE public."X" RENAME TO y'
    ]
    with pytest.raises(UsageError, match="does not exist"):
        project("SELECT", "", renames=tmp_path / "none.json").plan()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ('{"rename": []}', "“renames”"),
        ('{"renames": [{"tabel": "t"}]}', "no key “tabel”"),
        ('{"renames": [{"table": "t", "drop": "c"}]}', "a drop with a reason"),
        ('{"renames": [{"table": "t", "drop": "c", "reason": ""}]}', "a drop with a reason"),
        ('{"renames": [{"table": "t"}]}', "“from” and “to”"),
        ('{"renames": [{"table": "t", "column": {"from": "a"}}]}', "“from” and “to”"),
        ('{"renames": [{"table": "t u", "column": {"from": "a", "to": "b"}}]}', "a name"),
        ('{"renames": [3]}', "an object"),
        ('{"renames": [{"table": "t", "colum": {"from": "a", "to": "b"}}]}', "no key “colum”"),
        ('{"renames": [{"table": {"from": "a", "too": "b"}}]}', "“from” and “to”"),
        ('{"renames": [{"table": "t", "drop": "a", "reason": "r"}]}', "is declared"),
    ],
)  # fmt: skip
def test_what_the_file_may_not_say_is_an_error_with_its_place(project: Make, text: str, says: str) -> None:
    made = project("SELECT", "CREATE TABLE t (a int);")
    path = Path(made.file).parent / "renames.json"
    path.write_text(text)
    wrong = found(made)
    assert says in wrong.message
    assert wrong.source.file == str(path)


def test_the_file_is_a_history_with_keys_of_its_own(project: Make) -> None:
    changed = project(
        "CREATE TABLE t (a int, old int); CREATE TABLE moved_away (c int)",
        "CREATE TABLE t (b int);",
        "INSERT INTO t VALUES (1, 2); INSERT INTO moved_away VALUES (3)",
    )
    path = Path(changed.file).parent / "renames.json"
    path.write_text("""{"version": [1], "renames": [
        {"table": "gone", "column": {"from": "x", "to": "y"}, "pr": "#1"},
        {"table": "t", "column": {"from": "a", "to": "b", "on": "2026-01-02"}, "pr": "#2", "reason": "clearer"},
        {"table": "t", "column": {"from": "ancient", "to": "dropped_since"}, "issue": 3},
        {"table": {"from": "moved_away", "to": "elsewhere"}, "pr": "#4"},
        {"table": "gone", "drop": "z", "reason": "unused", "pr": "#5"},
        {"table": "t", "drop": "old", "reason": "unused", "pr": "#6"}
    ]}""")
    plan = changed.plan()
    notes = [n for n in plan.notices if "renames.json" in n]
    assert notes == [
        f"{path}: key “version” is ignored; it has no meaning to novaops",
        f"{path}:2: key “pr” is ignored; it has no meaning to novaops",
        f"{path}:3: key “on” is ignored; it has no meaning to novaops",
        f"{path}:4: key “issue” is ignored; it has no meaning to novaops",
        f"{path}: 4 entries are skipped (lines 2, 4, 5, 6): the schema files declare no such table or column",
    ]
    asked = ["data-loss:public.moved_away", "undeclared-drop:public.moved_away"]
    assert [h.consent for h in plan.blocked] == asked
    assert changed.apply(plan, asked).left == ()
    assert changed.connection.execute("SELECT b FROM t").fetchall() == [(1,)]
    again = changed.plan()
    assert again.statements == ()
    assert notes == [n for n in again.notices if "renames.json" in n]


# -- hostile names -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ['a"b', "ä b", "select", "-- x", "'", "a.b", "$$", "A" * 63, "\\", "/*"])
def test_any_name_can_be_given_up_and_taken(renamed: Renamed, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    renamed(
        f"CREATE TABLE {quoted} ({quoted} int PRIMARY KEY); CREATE TYPE e AS ENUM ('v')",
        f"-- novaops: renamed from {quoted}\nCREATE TABLE t (\n a int PRIMARY KEY -- novaops: renamed from {quoted}\n);\n"
        f"CREATE TYPE {quoted} AS ENUM ('v'); -- novaops: renamed from e\n",
    )
