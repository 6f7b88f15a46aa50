"""Casts of whole arrays stay casts of whole arrays."""

from __future__ import annotations

import pytest

from novaops.planning.faithful import faithful

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
