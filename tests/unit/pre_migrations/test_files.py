"""The folder of pre-migrations: order, phases, directives, and what no file may hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import UsageError
from novaops.execution.pre_migrations.files import left_out, read_folder, text_of


def write(folder: Path, name: str, text: str = "SELECT 1;") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("0010_c.sql", "0002_b.sql", "0001_Z.sql", "0001_a.sql"):
        write(tmp_path, name)
    assert [m.name for m in read_folder(tmp_path)] == ["0001_Z.sql", "0001_a.sql", "0002_b.sql", "0010_c.sql"]


def test_the_phase_is_in_the_name(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.sql")
    write(tmp_path, "0002_b.post.sql")
    assert [m.phase for m in read_folder(tmp_path)] == ["pre", "post"]


def test_other_files_are_no_migrations(tmp_path: Path) -> None:
    for name in ("README.md", ".hidden.sql", "0001_a.down.sql", "0002_b.sql~"):
        write(tmp_path, name)
    (tmp_path / "folder.sql").mkdir()
    assert read_folder(tmp_path) == ()
    assert left_out(tmp_path) == ["0001_a.down.sql"]


def test_no_folder_has_none(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "none") == ()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        read_folder(write(tmp_path, "0001.sql"))


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "0001.sql", "SELECT 'ä';\n")
    (migration,) = read_folder(tmp_path)
    assert migration.checksum == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_included_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    part = write(tmp_path / "parts", "part.sql", "SELECT 2;")
    write(tmp_path, "0001.sql", "SELECT 1;\n\\ir parts/part.sql\n")
    (before,) = read_folder(tmp_path)
    assert [s.text for s in before.statements] == ["SELECT 1", "SELECT 2"]
    part.write_text("SELECT 3;")
    (after,) = read_folder(tmp_path)
    assert before.checksum != after.checksum


@pytest.mark.parametrize(
    ("text", "transactional"),
    [
        ("SELECT 1;", True),
        ("-- novaops: no-transaction\nSELECT 1;", False),
        ("-- about\n\n--novaops:no-transaction\n-- more\nSELECT 1;", False),
        ("SELECT 1;\n-- novaops: no-transaction\n", True),
        ("SELECT '-- novaops: no-transaction';", True),
    ],
)
def test_a_leading_comment_opts_out_of_the_transaction(
    tmp_path: Path, text: str, transactional: bool
) -> None:
    write(tmp_path, "0001.sql", text)
    (migration,) = read_folder(tmp_path)
    assert migration.transactional is transactional


def test_an_unknown_directive_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "0001.sql", "-- about\n-- novaops: no-transactoin\nSELECT 1;")
    with pytest.raises(DiagnosticsError) as refused:
        read_folder(tmp_path)
    (found,) = refused.value.diagnostics
    assert (found.source.line, found.source.column, found.length) == (2, 13, 14)


@pytest.mark.parametrize(
    "statement",
    [
        "BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT a", "RELEASE a",
        "PREPARE TRANSACTION 'a'", "COPY a FROM STDIN", "COPY a TO STDOUT", "DISCARD ALL",
    ],
)  # fmt: skip
def test_refused_with_its_line(tmp_path: Path, statement: str) -> None:
    write(tmp_path, "0001.sql", f"SELECT 1;\n  {statement};\n")
    with pytest.raises(DiagnosticsError) as refused:
        read_folder(tmp_path)
    (found,) = refused.value.diagnostics
    assert (found.source.line, found.source.column) == (2, 3)
    assert "is refused: " in found.message


@pytest.mark.parametrize("command", [r"\connect other", r"\! ls", r"\copy a from b", r"\gexec"])
def test_commands_of_psql_are_refused_with_their_line(tmp_path: Path, command: str) -> None:
    write(tmp_path, "0001.sql", f"SELECT 1;\n{command}\n")
    with pytest.raises(DiagnosticsError) as refused:
        read_folder(tmp_path)
    assert refused.value.diagnostics[0].source.line == 2


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "0001.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;")
    write(tmp_path, "0002.sql", "SELECT 'unterminated;")
    with pytest.raises(DiagnosticsError) as refused:
        read_folder(tmp_path)
    assert [(Path(d.source.file).name, d.source.line) for d in refused.value.diagnostics] == [
        ("0001.sql", 1),
        ("0001.sql", 3),
        ("0002.sql", 1),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE ROLE a PASSWORD 'hush'",
        "ALTER USER a PASSWORD 'hush'",
        "CREATE SUBSCRIPTION s CONNECTION 'password=hush' PUBLICATION p",
        "CREATE USER MAPPING FOR a SERVER s OPTIONS (password 'hush')",
    ],
)
def test_what_may_hold_a_password_is_not_shown(tmp_path: Path, sql: str) -> None:
    write(tmp_path, "0001.sql", sql)
    ((statement,),) = [m.statements for m in read_folder(tmp_path)]
    assert "hush" not in text_of(statement)
    assert text_of(statement).startswith(" ".join(sql.split()[:2]))


# -- a file that is one transaction as a whole ----------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;\n",
        "begin work; SELECT 1; SELECT 2; commit work",
        "START TRANSACTION;\nSELECT 1;\nSELECT 2;\nEND;",
        "BEGIN TRANSACTION;\nSELECT 1;\nSELECT 2;\nEND TRANSACTION;",
        "-- about\n/* BEGIN; */\n\\set ON_ERROR_STOP on\n\nBEGIN; -- now\nSELECT 1;\nSELECT 2;\nCOMMIT;\n-- done\n",
    ],
)
def test_begin_and_commit_may_enclose_the_whole_file(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "0001.sql", text)
    (migration,) = read_folder(tmp_path)
    assert [s.text for s in migration.statements] == ["SELECT 1", "SELECT 2"]
    assert (migration.transactional, migration.own_transaction) == (True, True)
    assert migration.checksum == hashlib.sha256(path.read_bytes()).hexdigest()


def test_settings_may_come_before_begin(tmp_path: Path) -> None:
    write(tmp_path, "0001.sql", "SET search_path = a;\nRESET b;\nBEGIN;\nSELECT 1;\nCOMMIT;")
    (migration,) = read_folder(tmp_path)
    assert [s.text for s in migration.statements] == ["SET search_path = a", "RESET b", "SELECT 1"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("BEGIN;\nSELECT 1;\n", [1]),
        ("SELECT 1;\nCOMMIT;\n", [2]),
        ("SELECT 0;\nBEGIN;\nSELECT 1;\nCOMMIT;\n", [2, 4]),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;", [1, 3]),
        ("BEGIN;\nSELECT 1;\nROLLBACK;\n", [1, 3]),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;", [3, 4]),
        ("BEGIN;\nSAVEPOINT a;\nSELECT 1;\nCOMMIT;", [2]),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\nCOMMIT;", [1, 3]),
        ("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;", [1, 3]),
        ("SET LOCAL search_path = a;\nBEGIN;\nSELECT 1;\nCOMMIT;", [2, 4]),
        ("-- novaops: no-transaction\nBEGIN;\nSELECT 1;\nCOMMIT;", [2, 4]),
    ],
)
def test_any_other_transaction_control_is_refused_with_its_line(
    tmp_path: Path, text: str, lines: list[int]
) -> None:
    write(tmp_path, "0001.sql", text)
    with pytest.raises(DiagnosticsError) as refused:
        read_folder(tmp_path)
    assert [d.source.line for d in refused.value.diagnostics] == lines
