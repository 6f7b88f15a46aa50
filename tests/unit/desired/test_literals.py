"""String constants: what they stand for, and where."""

import pytest

from novaops.desired.body_findings import created_relations
from novaops.desired.lexer import tokens
from novaops.desired.literals import literal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$$a 'b' \\n$$", "a 'b' \\n"),
        ("$tag$a $$ b$tag$", "a $$ b"),
        ("'it''s \\n'", "it's \\n"),
        (r"E'it\'s ''\n\t\\ \x41\u0042\U00000043\104 \q'", "it's '\n\t\\ ABCD q"),
        ("''", ""),
    ],
)
def test_value_and_offsets(text: str, value: str) -> None:
    (token,) = tokens(text)
    found = literal(text, token)
    assert found is not None
    assert found.value == value
    assert len(found.offsets) == len(value)
    for character, offset in zip(value, found.offsets, strict=True):
        assert text[offset] in (character, "\\")


@pytest.mark.parametrize("text", ["U&'a'", "X'1F'", "B'1'"])
def test_forms_that_are_no_text(text: str) -> None:
    (token,) = tokens(text)
    assert literal(text, token) is None


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("CREATE TEMP TABLE tt (a int); CREATE OR REPLACE TEMPORARY VIEW s.v AS SELECT 1", ["tt", "v"]),
        ("EXECUTE 'create temp table if not exists \"T 1\" as select ''x'''", ["T 1"]),
        ("EXECUTE format('CREATE UNLOGGED TABLE %I (a int)', n)", [""]),
        ("EXECUTE 'CREATE SEQUENCE ' || n", [""]),
        ("CREATE INDEX i ON t (a); SELECT * FROM t", []),
        ("CREATE TABLE a (x text DEFAULT 'unterminated", ["a"]),
    ],
)
def test_relations_that_a_body_creates(body: str, names: list[str]) -> None:
    assert list(created_relations(body)) == names
