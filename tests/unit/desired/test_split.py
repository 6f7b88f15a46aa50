"""Statement boundaries and positions."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from novaops.desired.lexer import LexicalError, tokens
from novaops.desired.split import Command, File, Statement, split

STATEMENTS = [
    "CREATE TABLE t (a int, \"b;c\" text DEFAULT ';')",
    "SELECT $x$ ; $y$ ' $x$ || a$b$c$ || $$;$$",
    "SELECT E'\\';' , 'it''s;', U&\"d;\" , E'a'\n  '\\';'",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
    "SELECT a /* ; /* ; */ ' */ -- ; '\n FROM ünïcode",
    "SELECT 1 - -1, '{1,2}'::int[] @> $1, 1..10, 5e-3",
    "CREATE VIEW v AS SELECT x.end, 1 AS case FROM x",
    "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT x.case AS end FROM x; END",
]
GAPS = [";\n", "; -- a ; comment 'here\n", " ;/* ; /* nested */ ' */\n", ";;\n\n", ";"]


def pieces(text: str) -> list[Statement | Command]:
    return list(split(File.of("x.sql", text)))


@given(st.lists(st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(GAPS))))
def test_statements_come_back_as_they_were_written(parts: list[tuple[str, str]]) -> None:
    text = "".join(statement + gap for statement, gap in parts)
    assert [p.text for p in pieces(text) if isinstance(p, Statement)] == [s for s, _ in parts]


@given(st.text(alphabet="ab$'\"/*-;() \n\\Eé1", max_size=60))
def test_nothing_but_space_comments_and_semicolons_is_left_out(text: str) -> None:
    file = File.of("x.sql", text)
    at = 0
    try:
        for piece in split(file):
            # A command may lie within the statement that comes next, or right after its last token.
            inside = isinstance(piece, Command) and piece.inside
            gap = "" if inside else text[at : piece.start]
            assert all(gap[t.start : t.end] == ";" for t in tokens(gap))
            at = max(at, piece.end)
    except LexicalError:
        assume(False)


def test_positions_count_lines_and_characters() -> None:
    first, second = pieces("-- ü\n  SELECT 'ü'; SELECT 2")
    assert (first.source.line, first.source.column) == (2, 3)
    assert (second.source.line, second.source.column) == (2, 15)


def test_copy_data_are_passed_over() -> None:
    copy, after = pieces("COPY t (a) FROM stdin;\nit's; \\N data\n\\.\nSELECT 1;")
    assert copy.text == "COPY t (a) FROM stdin"
    assert (after.text, after.source.line) == ("SELECT 1", 4)


def test_backslash_commands_end_with_their_line() -> None:
    found = pieces("\\ir it's.sql\nSELECT 1 \\gexec\n")
    assert [(p.name, p.argument, p.inside) for p in found if isinstance(p, Command)] == [
        ("ir", "it's.sql", False),
        ("gexec", "", True),
    ]


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("SELECT 'a", "unterminated quoted string", 7),
        ('SELECT "a', "unterminated quoted identifier", 7),
        ("SELECT $a$ $b$", "unterminated dollar-quoted string", 7),
        ("/* /* */", "unterminated /* comment", 0),
    ],
)
def test_what_never_ends_is_told_with_its_start(text: str, message: str, offset: int) -> None:
    with pytest.raises(LexicalError) as error:
        pieces(text)
    assert (error.value.message, error.value.offset) == (message, offset)
