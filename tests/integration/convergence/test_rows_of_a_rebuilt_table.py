"""A rebuilt table keeps its rows: what is asked about them knows the values of its columns."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.planning.draft import draft
from novaops.planning.hazards import assess
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot
from tests.integration.convergence.test_rows_in_the_way import declared

PLAIN = "CREATE TABLE p (id int PRIMARY KEY, k int{});"
SPLIT = "CREATE TABLE p (id int PRIMARY KEY, k int{}) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT;"
OTHER_KEY = "CREATE TABLE p (id int PRIMARY KEY, k int{}) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT;"
BOUND = "CREATE TABLE p (id int, k int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO ({}){};"
REFERS = "CREATE TABLE c (p int REFERENCES p);"
ROWS = "INSERT INTO p (id, k) SELECT n, n FROM generate_series(1, 20) AS n;"
REFERRING = ROWS + "INSERT INTO c SELECT id FROM p;"
SELF = ", FOREIGN KEY (k) REFERENCES p"
EXCLUDED = ", EXCLUDE (k WITH =)"

# From, to, rows, a row that stands against it, and its hazard.
CASES = {
    "key to a table that is partitioned": (
        PLAIN.format("") + REFERS, SPLIT.format("") + REFERS, REFERRING, "", "",
    ),
    "key to a table that is partitioned no more": (
        SPLIT.format("") + REFERS, PLAIN.format("") + REFERS, REFERRING, "", "",
    ),
    "key to a table with another partition key": (
        SPLIT.format("") + REFERS, OTHER_KEY.format("") + REFERS, REFERRING, "", "",
    ),
    "key to itself": (PLAIN.format(SELF), SPLIT.format(SELF), ROWS, "", ""),
    "key to itself of a table that is partitioned no more": (SPLIT.format(SELF), PLAIN.format(SELF), ROWS, "", ""),
    "new key": (
        PLAIN.format("") + "CREATE TABLE c (p int);", SPLIT.format("") + REFERS, REFERRING,
        "INSERT INTO c VALUES (99)", "foreign-key",
    ),
    "new key to itself": (PLAIN.format(""), SPLIT.format(SELF), ROWS, "INSERT INTO p VALUES (0, 99)", "foreign-key"),
    "new check": (
        PLAIN.format(""), SPLIT.format(", z int DEFAULT 3, CHECK (k < z + 20)"), ROWS, "INSERT INTO p VALUES (0, 99)", "check",
    ),
    "exclusion": (SPLIT.format(""), PLAIN.format(EXCLUDED), ROWS, "INSERT INTO p VALUES (0, 1)", "unique"),
    "conversion": (
        PLAIN.format("").replace("k int", "k bigint"), SPLIT.format(""), ROWS, "INSERT INTO p VALUES (0, 3000000000)", "check",
    ),
    "bound of a partition": (
        BOUND.format(90, " PARTITION BY RANGE (id); CREATE TABLE p1a PARTITION OF p1 DEFAULT"), BOUND.format(50, ""), ROWS,
        "INSERT INTO p VALUES (60, 60)", "check",
    ),
    "stored column": (
        PLAIN.format(""), SPLIT.format(", n int GENERATED ALWAYS AS (10 / k) STORED"), ROWS, "INSERT INTO p VALUES (0, 0)",
        "check",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rows_are_as_they_will_be(new_database: Callable[..., str], name: str) -> None:
    old, new, rows, wrong, hazard = CASES[name]
    refused = {"check", "unique", "foreign-key", "not-null"}
    desired = declared(new_database(), new)
    busy = frozenset(Address("table", ("public", table)) for table in ("p", "c", "p1", "p1a"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old + rows)
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED, busy=busy)
        found = assess(made.changes, made.scene, connection)
        assert [h for group in found.hazards.values() for h in group if h.hazard in refused] == []
        assert found.unknown == []
        if wrong:
            connection.execute(wrong)
            told = assess(made.changes, made.scene, connection).hazards
            assert [h.hazard for group in told.values() for h in group if h.hazard in refused] == [hazard]
            with pytest.raises(psycopg.Error):
                execute(connection, made)
        else:
            execute(connection, made)
            assert connection.execute("SELECT count(*) FROM p").fetchone() == (20,)
