"""Errors: what, where, why, and what to do."""

from __future__ import annotations

import json

import psycopg
import pytest

from novaops.diagnostics import Diagnostic, DiagnosticsError, Source
from novaops.errors import NovaopsError, UsageError
from novaops.output.errors import render_error, show_error

MISSING = Diagnostic(
    Source("schema/schema.sql", 7615, 14),
    'relation "entity_credibility" does not exist',
    code="42P01",
    text="   LEFT JOIN entity_credibility ec_domain ON true",
    length=18,
    notes=("no statement in schema/schema.sql creates it",),
    hint="add its CREATE TABLE back",
)
GOLDEN = """\
schema/schema.sql:7615:14: error[42P01]: relation "entity_credibility" does not exist
     |
7615 |    LEFT JOIN entity_credibility ec_domain ON true
     |              ^^^^^^^^^^^^^^^^^^
     = no statement in schema/schema.sql creates it
     = hint: add its CREATE TABLE back
schema/schema.sql:3:1: error: cannot use subquery in check constraint
2 errors in schema/schema.sql; nothing was planned (exit 1)
"""


def caret(diagnostic: Diagnostic, width: int = 80) -> tuple[str, str]:
    """What the carets underline, and the line that they stand under."""
    lines = render_error(DiagnosticsError([diagnostic]), width).splitlines()
    line, carets = lines[2], lines[3]
    assert all(len(shown) <= width for shown in (line, carets))
    return line[carets.index("^") : carets.rindex("^") + 1], line


def test_diagnostics_as_a_whole() -> None:
    subquery = Diagnostic(Source("schema/schema.sql", 3), "cannot use subquery in check constraint")
    error = DiagnosticsError([MISSING, subquery])
    assert render_error(error, undone="nothing was planned") == GOLDEN


@pytest.mark.parametrize("column", [1, 2, 40, 150, 296])
@pytest.mark.parametrize("length", [1, 5])
def test_the_caret_stays_under_its_word_in_a_long_line(column: int, length: int) -> None:
    text = "-" * (column - 1) + "x" * length + "-" * (300 - column - length)
    found = Diagnostic(Source("a.sql", 1, column), "m", text=text, length=length)
    assert caret(found)[0] == "x" * length


def test_the_caret_stays_under_its_word_after_a_tab() -> None:
    assert caret(Diagnostic(Source("a.sql", 1, 3), "m", text="\t\tword", length=4))[0] == "word"


def test_a_caret_past_the_end_of_the_line() -> None:
    lines = render_error(
        DiagnosticsError([Diagnostic(Source("a.sql", 1, 9), "m", text="SELECT 1")])
    ).splitlines()
    assert lines[3] == "     | " + " " * 8 + "^"


def test_control_characters_in_the_line() -> None:
    word, line = caret(Diagnostic(Source("a.sql", 1, 2), "m", text="\x1bword", length=4))
    assert word == "word"
    assert r"\x1bword" in line


def test_an_error_with_detail_and_hint() -> None:
    error = NovaopsError("it is so", detail="because\nof that", hint="do this")
    assert render_error(error) == "error: it is so\n     = because\n       of that\n     = hint: do this\n"


def test_an_error_of_the_server() -> None:
    error = psycopg.errors.UndefinedTable("raw")
    assert render_error(error).startswith("error: raw\n")


def test_a_missing_file() -> None:
    error = FileNotFoundError(2, "No such file or directory", "schema.sql")
    assert render_error(error) == "error: schema.sql: No such file or directory\n"


def test_a_defect_asks_for_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOVAOPS_DEBUG", raising=False)
    assert show_error(KeyError("x")) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("error: unexpected KeyError: 'x'\n")
    assert "Traceback" not in shown.err
    assert shown.out == ""
    monkeypatch.setenv("NOVAOPS_DEBUG", "1")
    show_error(KeyError("x"))
    assert "KeyError: 'x'" in capsys.readouterr().err


def test_json_goes_to_stdout_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_error(UsageError("no", hint="yes"), as_json=True) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "format_version": 1,
        "error": {"message": "no", "detail": None, "hint": "yes", "exit_code": 2},
    }
    assert shown.err == "error: no\n     = hint: yes\n"
    show_error(DiagnosticsError([MISSING]), as_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["diagnostics"][0] == {
        "file": "schema/schema.sql", "line": 7615, "column": 14, "severity": "error", "code": "42P01",
        "message": MISSING.message, "notes": list(MISSING.notes), "hint": MISSING.hint,
    }  # fmt: skip
