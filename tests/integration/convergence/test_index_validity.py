"""An index of a partitioned table is valid when no partition lacks one that is attached to it, and not before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.planning.diff import diff
from novaops.planning.draft import draft
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, Converge, execute, snapshot
from tests.integration.convergence.test_rows_in_the_way import declared

WHOLE = (
    "CREATE TABLE w (a int, b int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF w FOR VALUES IN (1);"
)
REST = "CREATE TABLE q PARTITION OF w FOR VALUES IN (2);"
INDEX = "CREATE INDEX i ON ONLY w (b); CREATE INDEX p_b_idx ON p (b); ALTER INDEX i ATTACH PARTITION p_b_idx;"
KEY = (
    "ALTER TABLE ONLY w ADD CONSTRAINT k UNIQUE (a, b); ALTER TABLE p ADD CONSTRAINT p_a_b_key UNIQUE (a, b);"
    " ALTER INDEX k ATTACH PARTITION p_a_b_key;"
)
ALL_KEYS = "ALTER TABLE w ADD CONSTRAINT k UNIQUE (a, b)"
STATES = {
    "none": WHOLE + REST,
    "all": WHOLE + REST + "CREATE INDEX i ON w (b);",
    "bare": WHOLE + REST + "CREATE INDEX i ON ONLY w (b);",
    "one": WHOLE + REST + INDEX,
    "apart": WHOLE + REST + "CREATE INDEX i ON ONLY w (b); CREATE INDEX ON p (b); CREATE INDEX ON q (b);",
}


@pytest.mark.parametrize(("old", "new"), list(permutations(STATES, 2)))
def test_as_declared(converge: Converge, old: str, new: str) -> None:
    converge(STATES[old], STATES[new])


@pytest.mark.parametrize("rest", ["DROP TABLE q", "ALTER TABLE w DETACH PARTITION q; DROP TABLE q", ""])
@pytest.mark.parametrize(
    ("lacking", "whole"),
    [(INDEX, "CREATE INDEX i ON w (b)"), (KEY, ALL_KEYS)],
)
def test_whole_again(converge: Converge, lacking: str, whole: str, rest: str) -> None:
    statements = converge(WHOLE + REST + lacking + rest, WHOLE + whole)
    assert statements[-1].endswith(
        lacking.split("ATTACH")[1].strip(" ;").replace("PARTITION ", "PARTITION public.")
    )


def test_not_valid_without_reason(converge: Converge) -> None:
    stale = WHOLE + REST + INDEX + "DROP TABLE q"
    assert converge(WHOLE + "CREATE INDEX i ON w (b)", stale) == []
    assert len(converge(WHOLE, stale)) == 3


def test_key_of_one_partition(converge: Converge) -> None:
    converge(WHOLE + REST + ALL_KEYS, WHOLE + REST + KEY)


def test_key_of_one_partition_of_a_table_with_rows(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), WHOLE + REST + KEY)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(WHOLE + REST + ALL_KEYS + "; INSERT INTO w VALUES (1, 1)")
        busy = frozenset(Address("table", ("public", name)) for name in ("w", "p"))
        execute(connection, draft(snapshot(connection), desired, EVERYTHING, MANAGED, busy=busy))
        assert diff(snapshot(connection), desired, EVERYTHING, MANAGED) == {}
