"""What ALTER … TYPE forgets about a column and about what is rebuilt along with it."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

TABLE = "CREATE TABLE t (id int, a {}, b {}, c {});"
OWN = "ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER b SET COMPRESSION pglz"
CHILD = """
CREATE TABLE k () INHERITS (t);
ALTER TABLE k ALTER a SET STORAGE MAIN, ALTER b SET STORAGE EXTERNAL, ALTER c SET COMPRESSION pglz;
"""
PARTITION = """
CREATE TABLE t (id int, a {0}, b {0}) PARTITION BY LIST (id);
CREATE TABLE k PARTITION OF t DEFAULT; ALTER TABLE k ALTER a SET STORAGE EXTERNAL, ALTER b SET COMPRESSION pglz;
"""
BOTH_WAYS = pytest.mark.parametrize(("old", "new"), [("varchar(10)", "text"), ("text", "varchar(10)")])


@BOTH_WAYS
@pytest.mark.parametrize("rest", [OWN, CHILD])
def test_storage_and_compression(converge: Converge, old: str, new: str, rest: str) -> None:
    before, after = (TABLE.format(t, t, t) + rest for t in (old, new))
    assert [s for s in converge(before, after) if "SET STORAGE" in s]


@BOTH_WAYS
def test_storage_and_compression_of_a_partition(converge: Converge, old: str, new: str) -> None:
    converge(PARTITION.format(old), PARTITION.format(new))


def test_storage_by_a_collation(converge: Converge) -> None:
    converge(TABLE.format(*["text"] * 3) + OWN, TABLE.format(*['text COLLATE "C"'] * 3) + OWN)
