from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Connection
from tests.integration.kinds.converge import converge

PARENT = (
    "CREATE TABLE o (i int PRIMARY KEY); CREATE TABLE p (a int REFERENCES o, k int NOT NULL, PRIMARY KEY (k),"
    " CONSTRAINT c CHECK (k > 0)) PARTITION BY LIST (k); CREATE INDEX px ON p (a);"
)
STANDALONE = "CREATE TABLE p1 (a int REFERENCES o, k int NOT NULL, PRIMARY KEY (k), CONSTRAINT c CHECK (k > 0)); CREATE INDEX p1_a_idx ON p1 (a);"
STATES = {
    "none": PARENT,
    "attached": PARENT + "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);",
    "another bound": PARENT + "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1, 3);",
    "detached": PARENT + STANDALONE,
    "two levels": PARENT + "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
    "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (k); CREATE TABLE p21 PARTITION OF p2 DEFAULT",
}


@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", STATES)
def test_from_state_to_state(database: Connection, old: str, new: str) -> None:
    rows = "INSERT INTO o VALUES (5)" + ("" if old == "none" else "; INSERT INTO p1 VALUES (5, 1)")
    converge(database, STATES[old], STATES[new], rows=rows)
    if "none" not in (old, new):
        assert database.execute("SELECT a, k FROM p1").fetchall() == [(5, 1)]


def test_columns_and_keys_reach_partitions(database: Connection) -> None:
    narrow = (
        "CREATE TABLE p (a int, k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
        "CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY LIST (k); CREATE TABLE p21 PARTITION OF p2 DEFAULT"
    )
    wide = narrow.replace(
        "k int)", "k int, n int NOT NULL DEFAULT 7, x text, CONSTRAINT c CHECK (n > 1), UNIQUE (k, n))"
    )
    wide += "; CREATE INDEX ON p (x); ALTER TABLE p1 ALTER n SET DEFAULT 8; CREATE INDEX own ON p21 (n)"
    retyped = wide.replace("x text", "x varchar(9)").replace("n int", "n bigint")
    rows = "INSERT INTO p VALUES (1, 1), (2, 2)"
    assert converge(database, narrow, wide, retyped, narrow, rows=rows) == [
        "ALTER TABLE public.p DROP COLUMN n",
        "ALTER TABLE public.p DROP COLUMN x",
    ]


def test_an_invalid_partitioned_index_becomes_valid(database: Connection) -> None:
    table = "CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p DEFAULT;"
    converge(database, table + "CREATE INDEX i ON ONLY p (k)", table + "CREATE INDEX i ON p (k)")


def test_a_partition_outlives_its_parent(database: Connection) -> None:
    text = "CREATE TABLE p (a int NOT NULL, k int NOT NULL) PARTITION BY LIST ({}); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)"
    converge(database, text.format("k"), text.format("a"), rows="INSERT INTO p VALUES (1, 1)")
    assert database.execute("SELECT * FROM p").fetchall() == [(1, 1)]
