"""Casts of whole arrays stay casts of whole arrays, and columns without a name stay nameless."""

from __future__ import annotations

import pytest

from novaops.planning.faithful import faithful, read_again

VARYING = "ARRAY['a'::character varying, 'b'::character varying]"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"x = ANY (({VARYING})::text[])", f"x = ANY (({VARYING}::character varying[])::text[])"),
        ("((ARRAY[1, 2])::bigint[])", "((ARRAY[1, 2]::integer[])::bigint[])"),
        ("(ARRAY[3000000000])::numeric[]", "(ARRAY[3000000000]::bigint[])::numeric[]"),
        ("(ARRAY[1.5])::float8[]", "(ARRAY[1.5]::numeric[])::float8[]"),
        (
            "(ARRAY[f(1, 2)::date, (g('x'))::date])::text[]",
            "(ARRAY[f(1, 2)::date, (g('x'))::date]::date[])::text[]",
        ),
        (
            f"({VARYING})::text[] || ({VARYING})::text[]",
            f"({VARYING}::character varying[])::text[] || ({VARYING}::character varying[])::text[]",
        ),
    ],
)
def test_the_type_of_the_array_is_written(sql: str, expected: str) -> None:
    assert faithful(sql) == expected
    assert faithful(expected) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "ARRAY['a'::text, 'b'::text]",
        "(ARRAY['a'::text, 1])::text[]",
        "(ARRAY[a, b])::text[]",
        "SELECT '(ARRAY[''a''::varchar])::text[]'",
        "AS $f$ (ARRAY['a'::varchar])::text[] $f$",
        "(ARRAY[1, 2])::integer[] 'never closed",
    ],
)
def test_what_is_something_else_stays(sql: str) -> None:
    assert faithful(sql) == sql


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 'x'::text;", "SELECT 'x'::text AS \"?column?\";"),
        ("(SELECT 'x'::text)", "(SELECT 'x'::text AS \"?column?\")"),
        (
            "SELECT DISTINCT a, NULL::numeric(5,2), '-1'::integer AS n FROM t",
            "SELECT DISTINCT a, NULL::numeric(5,2) AS \"?column?\", '-1'::integer AS n FROM t",
        ),
        (
            "RETURNING '1'::\"S\".\"T\"[], 'now'::timestamp(3) without time zone;",
            'RETURNING \'1\'::"S"."T"[] AS "?column?", '
            "'now'::timestamp(3) without time zone AS \"?column?\";",
        ),
    ],
)
def test_a_constant_without_a_name_gets_none(sql: str, expected: str) -> None:
    assert faithful(sql) == expected
    assert faithful(expected) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'x'::text AS text",
        "SELECT f('x'::text), ('x'::text || 'y'::text)",
        "SELECT 'x'::text IS DISTINCT FROM 'y'::text",
        "VALUES ('x'::text)",
        "AS $$ SELECT 'x'::text $$",
    ],
)
def test_what_has_a_name_or_is_no_constant_keeps_it(sql: str) -> None:
    assert faithful(sql) == sql


PUSHED = "ARRAY[('a'::character varying)::{0}, ('b'::character varying)::{0}]"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"CHECK (x = ANY (({VARYING})::text[]))", f"CHECK (x = ANY ({PUSHED.format('text')}))"),
        (f"({VARYING})::character varying(3)[] || y", f"{PUSHED.format('character varying(3)')} || y"),
        (f"(({VARYING})::app.kind[])[1]", f"({PUSHED.format('app.kind')})[1]"),
        (
            "((ARRAY[1, f((ARRAY[2])::bigint[])])::numeric[])",
            "(ARRAY[(1)::numeric, (f(ARRAY[(2)::bigint]))::numeric])",
        ),
        (
            "(ARRAY[now()])::timestamp with time zone[] IS NULL",
            "ARRAY[(now())::timestamp with time zone] IS NULL",
        ),
        ("(ARRAY[]::text[])::varchar[]", "(ARRAY[]::text[])::varchar[]"),
        ("(x)::text[]", "(x)::text[]"),
        ('(ARRAY[a])::"My".t[]', 'ARRAY[(a)::"My".t]'),
        ("'(ARRAY[1])::text[]'", "'(ARRAY[1])::text[]'"),
    ],
)
def test_read_again(sql: str, expected: str) -> None:
    assert read_again(sql) == expected
    assert read_again(expected) == expected
