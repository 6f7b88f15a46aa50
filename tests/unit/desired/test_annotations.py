"""Where a directive may stand, what it belongs to, and what is said of one that is nowhere or misspelt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from novaops.desired.annotations import Annotation, directives
from novaops.desired.files import load
from novaops.diagnostics import Diagnostic, DiagnosticsError

Read = Callable[[str], list[Annotation]]
X = "-- novaops: renamed from x"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def annotations(text: str) -> list[Annotation]:
        file = tmp_path / "schema.sql"
        file.write_text(text)
        return directives(load(file))

    return annotations


def refused(read: Read, text: str) -> Diagnostic:
    with pytest.raises(DiagnosticsError) as raised:
        read(text)
    return raised.value.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "item"),
    [
        (f"CREATE TABLE t (a int); {X}\n", None),
        (f"{X}\nCREATE TABLE t (a int);", None),
        (f"{X}\n-- another comment\nCREATE TABLE t (a int);", None),
        (f"CREATE TABLE s; CREATE TABLE t ( {X}\n a int);", None),
        (f"CREATE VIEW t {X}\n AS SELECT 1;", None),
        (f"CREATE TABLE t (a int, {X}\n b int);", ("column", "a")),
        (f"CREATE TABLE t (\n a int, {X}\n b int);", ("column", "a")),
        (f"CREATE TABLE t (\n a int {X}\n);", ("column", "a")),
        (f"CREATE TABLE t (\n a int); {X}\n", ("column", "a")),
        (f"CREATE TABLE t (\n a int\n DEFAULT (1 + 2) {X}\n, b int);", ("column", "a")),
        (f"CREATE TABLE t (\n {X}\n a int, b int);", ("column", "a")),
        (f'CREATE TABLE t (\n "A b" int {X}\n);', ("column", "A b")),
        (f"CREATE TABLE t (\n a int,\n CONSTRAINT k CHECK (a > 0) {X}\n);", ("constraint", "k")),
        (f"CREATE TABLE t (\n a int,\n CHECK (a > 0) {X}\n);", ("constraint", None)),
        (f"CREATE FOREIGN TABLE t (\n a int {X}\n) SERVER s;", ("column", "a")),
        (f"CREATE TYPE t AS ENUM (\n 'a', {X}\n 'b');", ("label", "a")),
        (f"CREATE TYPE t AS (\n a int, {X}\n b int);", ("column", "a")),
        (f"CREATE DOMAIN t AS int\n CONSTRAINT k CHECK (VALUE > 0) {X}\n NOT NULL;", ("constraint", "k")),
        (f"ALTER TABLE t\n ADD COLUMN IF NOT EXISTS a int, {X}\n ADD b int;", ("column", "a")),
        (f"ALTER TABLE ONLY t\n ADD CONSTRAINT k UNIQUE (a); {X}\n", ("constraint", "k")),
    ],
)
def test_belongs_to_what_its_line_declares(
    read: Read, text: str, item: tuple[str, str | None] | None
) -> None:
    (found,) = read(text)
    assert found.before == ("x",)
    assert found.statement.file.name.endswith("schema.sql")
    assert (found.item and (found.item.what, found.item.name)) == item


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("x", ("x",)),
        ("X", ("x",)),
        ('"X"', ("X",)),
        ('"a""b.c"', ('a"b.c',)),
        ("s.x", ("s", "x")),
        ('"S".x', ("S", "x")),
        ("'It''s'", ("It's",)),
    ],
)
def test_old_names_are_written_by_the_rules_of_postgresql(
    read: Read, name: str, before: tuple[str, ...]
) -> None:
    assert [a.before for a in read(f"CREATE TABLE t (a int); -- novaops: renamed from {name}\n")] == [before]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (f"CREATE TABLE t (a int);\n{X}\n", 2, "no statement follows"),
        (f"{X}\n\nCREATE TABLE t (a int);", 1, "empty line"),
        (f"{X}\n\\echo x\nCREATE TABLE t (a int);", 1, "no statement follows"),
        (f"CREATE TABLE t (\n a int\n) {X}\n;", 3, "no column"),
        (f"CREATE TABLE t (\n a int, b int {X}\n);", 2, "more than one"),
        (f"CREATE TABLE t (a int\n {X}\n);", 2, "what follows"),
        (f"CREATE VIEW v AS SELECT 1 AS a\n, 2 AS b; {X}\n", 2, "no column"),
        ("CREATE TABLE t (a int); -- novaops: renamed from\n", 1, "no name"),
        ("CREATE TABLE t (a int); -- novaops: renamed from a b\n", 1, "more than one"),
        ("CREATE TABLE t (a int); -- novaops: renamed from a.b.c\n", 1, "more than one"),
        ("CREATE TABLE t (a int); -- novaops: rename from x\n", 1, "no directive"),
        ("CREATE TABLE t (a int); --Novaops:\n", 1, "no directive"),
    ],
)
def test_what_belongs_to_nothing_is_an_error_with_its_place(
    read: Read, text: str, line: int, says: str
) -> None:
    wrong = refused(read, text)
    assert says in wrong.message
    assert wrong.source.line == line
    assert wrong.text is not None
    assert wrong.text[wrong.source.column - 1 :].startswith("--")


def test_a_misspelt_directive_is_mended(read: Read) -> None:
    wrong = refused(read, "CREATE TABLE t (a int); -- novaops: rename from x\n")
    assert wrong.hint == "did you mean -- novaops: renamed from old_name?"


def test_the_line_of_a_secret_is_not_shown(read: Read) -> None:
    wrong = refused(read, "CREATE SUBSCRIPTION s CONNECTION 'password=p' PUBLICATION q; -- novaops: what\n")
    assert wrong.text is None


def test_only_comments_are_directives(read: Read) -> None:
    text = (
        "CREATE TABLE t (a text DEFAULT '\n-- novaops: nonsense\n'); /*\n-- novaops: nonsense\n*/\n"
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n-- novaops: nonsense\n$$;"
    )
    assert read(text) == []
