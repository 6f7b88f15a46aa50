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
    for state in (old, new, old):
        converge(database, "", TABLE + state)


def test_it_outlives_the_column_that_owns_it(database: Connection) -> None:
    text = "CREATE TABLE t (a int{}, b int); CREATE SEQUENCE s OWNED BY t.a"
    generated = text.format(" GENERATED ALWAYS AS (1) STORED")
    assert converge(database, generated, generated.replace("(1)", "(b)").replace("int GEN", "bigint GEN"))[
        0
    ] == ("ALTER SEQUENCE public.s OWNED BY NONE")


def test_it_goes_on_where_the_column_is(database: Connection) -> None:
    text = "CREATE TABLE t (a int)"
    converge(
        database, text, "CREATE TABLE t (a int); CREATE SEQUENCE s OWNED BY t.a", "INSERT INTO t VALUES (41)"
    )
    assert database.execute("SELECT nextval('s')").fetchone() == (42,)
