"""Files, folders, includes and psql's lines."""

from pathlib import Path

import pytest

from novaops.desired.files import load
from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, UsageError


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)


def messages(path: Path) -> list[str]:
    with pytest.raises(DiagnosticsError) as error:
        load(path)
    return [f"{Path(d.source.file).name}:{d.source.line}: {d.message}" for d in error.value.diagnostics]


def test_folder_is_read_in_sorted_order_and_deep(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path, b="SELECT 2;")
    write(tmp_path / "a", z="SELECT 1")
    assert [s.text for s in load(tmp_path).statements] == ["SELECT 1", "SELECT 2"]


def test_includes_are_read_where_they_stand(tmp_path: Path) -> None:
    write(tmp_path, main="SELECT 1;\n\\ir part.sql\nSELECT 3;", part="\\restrict k\nSELECT 2;\n")
    found = load(tmp_path / "main.sql").statements
    assert [(s.text, Path(s.source.file).name) for s in found] == [
        ("SELECT 1", "main.sql"),
        ("SELECT 2", "part.sql"),
        ("SELECT 3", "main.sql"),
    ]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        main="\\connect other\n\\ir main.sql\n\\ir gone.sql\nALTER SYSTEM SET a = 1;\n\\! rm\n"
        "\\set x 1\nSELECT :x;\nSELECT 'open",
    )
    found = messages(tmp_path / "main.sql")
    assert [m.split(": ", 1)[0] for m in found] == [f"main.sql:{n}" for n in (1, 2, 3, 4, 5, 7, 8)]
    assert "include each other" in found[1]
    assert "gone.sql does not exist" in found[2]
    assert "unterminated quoted string" in found[6]


@pytest.mark.parametrize("text", ["", "-- nothing\n", "\\echo hello\n"])
def test_a_file_without_statements_declares_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, main=text)
    assert load(tmp_path / "main.sql").statements == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SELECT 'a';\nSELECT '\xe4';", r"byte 0xe4 at offset 20 \(line 2\)"),
        (b"\xef\xbb\xbfSELECT '\xe4';", "at offset 11"),
        (b"S\0E\0", "zero byte at offset 1"),
    ],
)
def test_other_encodings_are_told_with_the_offset(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "x.sql").write_bytes(data)
    with pytest.raises(NovaopsError, match=message):
        load(tmp_path / "x.sql")


def test_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_bytes(b"\xef\xbb\xbfSELECT 1")
    assert load(tmp_path / "x.sql").statements[0].source.column == 1


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load(tmp_path / "gone.sql")
