"""Keys that PostgreSQL would merge, and indexes of partitioned tables that lack some partitions."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge


@pytest.mark.parametrize(
    "keys",
    [
        "ALTER TABLE t ADD PRIMARY KEY (a); ALTER TABLE t ADD UNIQUE (a)",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b) INCLUDE (c); ALTER TABLE t ADD CONSTRAINT v UNIQUE (a, b) INCLUDE (c)",
        "ALTER TABLE t ADD EXCLUDE (a WITH =); ALTER TABLE t ADD EXCLUDE (a WITH =)",
    ],
)
def test_two_keys_of_the_same_columns(converge: Converge, keys: str) -> None:
    """CREATE TABLE makes one index of such keys, and forgets a name."""
    converge("", f"CREATE TABLE t (a int, b int, c int); {keys}")


@pytest.mark.parametrize(
    "index", ["CREATE INDEX i ON ONLY p (k)", "ALTER TABLE ONLY p ADD CONSTRAINT i UNIQUE (k)"]
)
def test_index_that_a_partition_lacks(converge: Converge, index: str) -> None:
    """Made before the partition is attached, it would have it."""
    table = """
        CREATE TABLE p (k int) PARTITION BY LIST (k);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p2 PARTITION OF p DEFAULT
    """
    lacking = f"{table}; {index}"
    converge("", lacking)
    converge("CREATE TABLE p1 (k int); CREATE TABLE p2 (k int)", lacking)
    converge(lacking, "")
