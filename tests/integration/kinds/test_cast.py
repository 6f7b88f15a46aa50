from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = """
CREATE TYPE e AS ENUM ('a');
CREATE FUNCTION to_e(int) RETURNS e LANGUAGE sql IMMUTABLE AS $$ SELECT 'a'::e $$;
CREATE TYPE r AS RANGE (subtype = float8);
"""


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "",
            "CREATE CAST (int AS e) WITH FUNCTION to_e(int) AS ASSIGNMENT",
            ["CREATE CAST (integer AS public.e) WITH FUNCTION public.to_e(integer) AS ASSIGNMENT"],
        ),
        ("", "CREATE CAST (text AS e) WITH INOUT", ["CREATE CAST (pg_catalog.text AS public.e) WITH INOUT"]),
        (
            "",
            "CREATE CAST (int AS oidvector) WITH INOUT",
            ["CREATE CAST (integer AS pg_catalog.oidvector) WITH INOUT"],
        ),
        (
            "",
            "CREATE CAST (oid AS float4) WITHOUT FUNCTION",
            ["CREATE CAST (pg_catalog.oid AS real) WITHOUT FUNCTION"],
        ),
        (
            "CREATE CAST (text AS e) WITH INOUT",
            "CREATE CAST (text AS e) WITH INOUT AS IMPLICIT",
            [
                "DROP CAST (pg_catalog.text AS public.e)",
                "CREATE CAST (pg_catalog.text AS public.e) WITH INOUT AS IMPLICIT",
            ],
        ),
        ("CREATE CAST (e AS text) WITH INOUT", "", ["DROP CAST (public.e AS pg_catalog.text)"]),
    ],
)
def test_create_rebuild_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("cast", old, new, setup=SETUP) == statements
