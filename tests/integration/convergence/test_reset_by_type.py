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


STATISTICS = """
CREATE INDEX i ON t ((b IS NULL), (b IS NOT NULL)); ALTER INDEX i ALTER 1 SET STATISTICS 500;
CREATE STATISTICS s ON a, b FROM t; ALTER STATISTICS s SET STATISTICS 7; COMMENT ON STATISTICS s IS 'kept';
"""
OF_A_PARTITION = """
CREATE INDEX i ON t ((b || 'x')); ALTER INDEX i ALTER 1 SET STATISTICS 500;
ALTER INDEX k_expr_idx ALTER 1 SET STATISTICS 7;
CREATE STATISTICS s ON id, b FROM k; ALTER STATISTICS s SET STATISTICS 7;
"""


@BOTH_WAYS
@pytest.mark.parametrize("busy", [(), ("t",)])
def test_statistics_targets(converge: Converge, old: str, new: str, busy: tuple[str, ...]) -> None:
    before, after = (TABLE.format("int", t, "int") + STATISTICS for t in (old, new))
    statements = converge(before, after, busy=busy)
    # Nothing is built once more than PostgreSQL does by itself.
    assert not [s for s in statements if s.startswith(("CREATE", "DROP"))]


@BOTH_WAYS
def test_statistics_targets_of_a_partition(converge: Converge, old: str, new: str) -> None:
    """Its column changes by the statement about the partitioned table."""
    converge(PARTITION.format(old) + OF_A_PARTITION, PARTITION.format(new) + OF_A_PARTITION)


def test_statistics_target_of_a_partitioned_index_alone(converge: Converge) -> None:
    index = "CREATE INDEX i ON t ((b || 'x')); ALTER INDEX k_expr_idx ALTER 1 SET STATISTICS 7;"
    before, after = (
        f"{PARTITION.format('text')} {index} {rest}" for rest in ("", OF_A_PARTITION.splitlines()[1])
    )
    converge(before, after.replace(index, "") + "ALTER INDEX k_expr_idx ALTER 1 SET STATISTICS 7")


@pytest.mark.parametrize(
    "part",
    ["CREATE TABLE k () INHERITS (t)", "CREATE TABLE k PARTITION OF t DEFAULT"],
)
def test_a_view_over_the_child_alone(converge: Converge, part: str) -> None:
    """PostgreSQL refuses a change of the parent's column for it too."""
    key = " PARTITION BY LIST (id)" if "PARTITION" in part else ""
    view = f"{part}; CREATE VIEW v AS SELECT id FROM k WHERE a > a"
    converge(
        f"CREATE TABLE t (id int, a int){key}; {view}", f"CREATE TABLE t (id int, a bigint){key}; {view}"
    )


@pytest.mark.parametrize("busy", [(), ("t", "k", "l")])
def test_the_key_of_a_partition_that_is_partitioned(converge: Converge, busy: tuple[str, ...]) -> None:
    """PostgreSQL refuses a change of the parent's column for it too."""
    table = (
        "CREATE TABLE t (id int, a {}) PARTITION BY LIST (id); CREATE TABLE k PARTITION OF t DEFAULT"
        " PARTITION BY LIST (a); CREATE TABLE l PARTITION OF k DEFAULT"
    )
    check = "SELECT a = 1 FROM t"
    converge(
        *(table.format(t) for t in ("int", "bigint")),
        rows="INSERT INTO t VALUES (1, 1)",
        check=check,
        busy=busy,
    )


@pytest.mark.parametrize(("old", "new"), [("int4range", "int8range"), ("int8range", "int4range")])
def test_statistics_target_of_an_exclusion(converge: Converge, old: str, new: str) -> None:
    """pg_dump does not write it."""
    table = (
        "CREATE TABLE t (a {}, CONSTRAINT x EXCLUDE USING gist ((a * a) WITH &&));"
        " ALTER INDEX x ALTER 1 SET STATISTICS 9"
    )
    check = "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'x'::regclass AND attstattarget = 9"
    converge(table.format(old), table.format(new), check=check)
