"""Bounds of partitions change, alone and together with what the partitions have from their parent."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

CASES = {
    "bound and column": (
        """
        CREATE TABLE w (a int, b int) PARTITION BY RANGE (a);
        CREATE TABLE p PARTITION OF w FOR VALUES FROM (0) TO (10);
        """,
        """
        CREATE TABLE w (a int, b bigint, c int DEFAULT 1, CHECK (b > 0)) PARTITION BY RANGE (a);
        CREATE TABLE p PARTITION OF w FOR VALUES FROM (0) TO (20);
        CREATE INDEX i ON w (b);
        """,
    ),
    "bounds swapped": (
        """
        CREATE TABLE w (a int) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (1);
        CREATE TABLE q PARTITION OF w FOR VALUES IN (2);
        """,
        """
        CREATE TABLE w (a int) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (2);
        CREATE TABLE q PARTITION OF w FOR VALUES IN (1);
        """,
    ),
    "bounds with key": (
        """
        CREATE TABLE w (a int PRIMARY KEY, b int) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (1);
        CREATE INDEX i ON w (b);
        """,
        """
        CREATE TABLE w (a int PRIMARY KEY, b int) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (2);
        CREATE INDEX i ON w (b);
        """,
    ),
    "bounds, key dropped": (
        """
        CREATE TABLE w (a int PRIMARY KEY, b int) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (1);
        CREATE INDEX i ON w (b);
        """,
        """
        CREATE TABLE w (a int, b int) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (2);
        """,
    ),
    "bounds, type changed, fk": (
        """
        CREATE TABLE f (i int PRIMARY KEY);
        CREATE TABLE w (a int, b int REFERENCES f, c varchar(3)) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (1);
        """,
        """
        CREATE TABLE f (i int PRIMARY KEY, x int UNIQUE);
        CREATE TABLE w (a int, b int REFERENCES f(x), c varchar(4)) PARTITION BY LIST (a);
        CREATE TABLE p PARTITION OF w FOR VALUES IN (1,2);
        """,
    ),
    "diamond": (
        """
        CREATE TABLE a (x int);
        CREATE TABLE b () INHERITS (a);
        CREATE TABLE c () INHERITS (a);
        CREATE TABLE d () INHERITS (b, c);
        """,
        """
        CREATE TABLE a (x int, y int NOT NULL DEFAULT 3, CHECK (x > 0));
        CREATE TABLE b () INHERITS (a);
        CREATE TABLE c () INHERITS (a);
        CREATE TABLE d (z int) INHERITS (b, c);
        """,
    ),
}


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("case", CASES)
def test_transition(converge: Converge, case: str, way: str) -> None:
    old, new = CASES[case] if way == "there" else reversed(CASES[case])
    converge(old, new)
