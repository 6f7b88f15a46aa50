from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.kinds.conftest import Convert, snapshot

SETUP = """
CREATE SCHEMA s;
CREATE OPERATOR s.<<< (function = int4lt, leftarg = int, rightarg = int);
CREATE FUNCTION s.compare(int, int) RETURNS int IMMUTABLE LANGUAGE sql RETURN 1;
CREATE OPERATOR FAMILY s.f USING btree;
CREATE OPERATOR FAMILY s.g USING gist;
"""
ITEMS = "OPERATOR 1 s.<<<, OPERATOR 3 = (int, int), FUNCTION 1 s.compare(int, int)"
BTREE = "CREATE OPERATOR CLASS s.c FOR TYPE int USING btree FAMILY s.f AS"
GIST = "CREATE OPERATOR CLASS s.c FOR TYPE point USING gist FAMILY s.g AS"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", f'CREATE OPERATOR CLASS s."The class" FOR TYPE int USING btree FAMILY s.f AS {ITEMS}'),
        ("", f"{BTREE} STORAGE int"),
        (
            "",
            "CREATE OPERATOR CLASS s.c DEFAULT FOR TYPE xid USING btree FAMILY s.f AS OPERATOR 3 = (xid, xid)",
        ),
        ("", f"{GIST} OPERATOR 15 <-> (point, point) FOR ORDER BY float_ops, STORAGE box"),
        (f"{BTREE} {ITEMS}", ""),
        (f"{BTREE} {ITEMS}", f"{BTREE} FUNCTION 1 s.compare(int, int)"),
    ],
)
def test_create_rebuild_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("operator class", old, new, setup=SETUP)


def test_what_its_members_need_it_needs_itself(database: psycopg.Connection[Any]) -> None:
    database.execute(f"{SETUP} {BTREE} {ITEMS}")
    found = snapshot(database)
    (operator_class,) = (o for o in found if o.kind == "operator class")
    needed = {edge.referenced.type for edge in found.dependencies[operator_class.address]}
    assert needed == {"schema", "operator family", "operator", "function"}
    assert found.unmodelled == ()
