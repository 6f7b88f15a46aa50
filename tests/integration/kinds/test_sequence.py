from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Connection
from tests.integration.kinds.converge import converge

TABLE = "CREATE TABLE t (a int, b int);"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s AS int INCREMENT -1"),
        (
            "CREATE SEQUENCE s AS smallint MINVALUE 5 CYCLE",
            "CREATE SEQUENCE s MINVALUE 3 MAXVALUE 99 START 10 CACHE 3",
        ),
        ("CREATE SEQUENCE s", "CREATE UNLOGGED SEQUENCE s"),
        ("CREATE SEQUENCE s OWNED BY t.a", "CREATE SEQUENCE s OWNED BY t.b"),
        ("CREATE SEQUENCE s OWNED BY t.a", "CREATE SEQUENCE s"),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s OWNED BY t.b"),
    ],
)
def test_change(database: Connection, old: str, new: str) -> None:
    converge(database, "", TABLE + old, TABLE + new, TABLE + old, "")


def test_it_outlives_the_column_that_owns_it(database: Connection) -> None:
    text = "CREATE TABLE t (a {} STORED, b int); CREATE SEQUENCE s OWNED BY t.a"
    old, new = "int GENERATED ALWAYS AS (1)", "bigint GENERATED ALWAYS AS (2)"
    statements = converge(database, text.format(old), text.format(new))
    assert statements[0] == "ALTER SEQUENCE public.s OWNED BY NONE"
    assert statements[-1] == "ALTER SEQUENCE public.s OWNED BY public.t.a"


def test_it_goes_on_where_the_column_is(database: Connection) -> None:
    table = "CREATE TABLE t (a int);"
    owned = "CREATE SEQUENCE s OWNED BY t.a"
    converge(database, table, table + owned, rows="INSERT INTO t VALUES (41)")
    assert database.execute("SELECT nextval('s')").fetchone() == (42,)
