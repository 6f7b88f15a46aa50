from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.kinds.conftest import Convert, snapshot

SETUP = """
CREATE SCHEMA s;
CREATE OPERATOR s.<<< (function = int48lt, leftarg = int, rightarg = bigint);
CREATE OPERATOR s.>>> (function = int48gt, leftarg = int, rightarg = bigint);
CREATE FUNCTION s.compare(int, bigint) RETURNS int IMMUTABLE LANGUAGE sql RETURN 1;
"""
CREATE = "CREATE OPERATOR FAMILY s.f USING btree;"
ALTER = "ALTER OPERATOR FAMILY s.f USING btree ADD"


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("", CREATE, ["CREATE OPERATOR FAMILY s.f USING btree"]),
        (CREATE, "", ["DROP OPERATOR FAMILY s.f USING btree"]),
        (
            f"{CREATE} {ALTER} OPERATOR 1 s.<<< (int, bigint)",
            f"{CREATE} {ALTER} OPERATOR 1 s.>>> (int, bigint), FUNCTION 1 (int, bigint) s.compare(int, bigint)",
            [
                "ALTER OPERATOR FAMILY s.f USING btree DROP OPERATOR 1 (integer, bigint)",
                "ALTER OPERATOR FAMILY s.f USING btree ADD OPERATOR 1 s.>>>(integer,bigint),"
                " FUNCTION 1 (integer, bigint) s.compare(integer,bigint)",
            ],
        ),
        (
            "",
            f"{CREATE} {ALTER} OPERATOR 1 s.<<< (int, bigint)",
            [
                "CREATE OPERATOR FAMILY s.f USING btree",
                "ALTER OPERATOR FAMILY s.f USING btree ADD OPERATOR 1 s.<<<(integer,bigint)",
            ],
        ),
    ],
)
def test_create_alter_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("operator family", old, new, setup=SETUP) == statements


def test_what_a_loose_member_needs_the_family_needs(database: psycopg.Connection[Any]) -> None:
    database.execute(f"{SETUP} {CREATE} {ALTER} OPERATOR 1 s.<<< (int, bigint)")
    found = snapshot(database)
    (family,) = (o for o in found if o.kind == "operator family")
    needed = {edge.referenced.type: edge.types for edge in found.dependencies[family.address]}
    assert needed == {"schema": {"n"}, "operator": {"n"}}
