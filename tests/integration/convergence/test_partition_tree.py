"""Trees of partitions change as a whole: what is attached, to what, and in which order."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

KEYED = """
    CREATE TABLE m (id int NOT NULL, k text NOT NULL, {0}) PARTITION BY LIST (k);
    CREATE TABLE m_a PARTITION OF m FOR VALUES IN ({1}) PARTITION BY RANGE (id);
    CREATE TABLE m_a1 PARTITION OF m_a FOR VALUES FROM (0) TO (100);
    CREATE TABLE m_a2 PARTITION OF m_a DEFAULT;
"""
ROW = "INSERT INTO m VALUES (1, 'a')"
KEPT = "SELECT count(*) = 1 FROM m"


@pytest.mark.parametrize("busy", [(), ("m", "m_a", "m_a1")])
def test_partitions_of_a_partition_are_attached_before_it_is(
    converge: Converge, busy: tuple[str, ...]
) -> None:
    """An index that is not valid yet is not the one that ATTACH PARTITION looks for: it would make another."""
    primary, unique = KEYED.format("PRIMARY KEY (id, k)", "'a'"), KEYED.format("UNIQUE (k, id)", "'a', 'b'")
    converge(primary, unique, rows=ROW, check=KEPT, busy=busy)
    converge(unique, primary, rows=ROW, check=KEPT, busy=busy)


REFERRED = """
    CREATE TABLE p (id int, self int, x int) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p2 PARTITION OF p {};
"""
KEYS = "ALTER TABLE p ADD PRIMARY KEY (id), ADD FOREIGN KEY (self) REFERENCES p;"


def test_a_foreign_key_to_its_own_table_waits_for_partitions_that_come_back(converge: Converge) -> None:
    converge(REFERRED.format("FOR VALUES FROM (10) TO (20)"), REFERRED.format("DEFAULT") + KEYS)


def test_copies_that_ATTACH_makes_are_not_validated_before(converge: Converge) -> None:
    alone = "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE p (r int) PARTITION BY LIST (r); CREATE TABLE p1 (r int);"
    whole = (
        alone + "ALTER TABLE p ADD FOREIGN KEY (r) REFERENCES r; ALTER TABLE p ATTACH PARTITION p1 DEFAULT;"
    )
    rows = "INSERT INTO r VALUES (1); INSERT INTO p1 VALUES (1)"
    converge(alone, whole, rows=rows, check="SELECT count(*) = 1 FROM p", busy=["p1"])


def test_a_check_is_not_waited_for_by_a_partition_that_comes_back(converge: Converge) -> None:
    old, new = REFERRED.format("DEFAULT"), REFERRED.format("FOR VALUES FROM (10) TO (20)")
    check = "ALTER TABLE p ADD CHECK (x > 0);"
    converge(
        old,
        new + check,
        rows="INSERT INTO p VALUES (10, 1, 1)",
        check="SELECT count(*) = 1 FROM p",
        busy=["p", "p2"],
    )


def test_a_partition_joins_a_table_that_is_made_anew_with_a_column_more(converge: Converge) -> None:
    parts = "CREATE TABLE m_d PARTITION OF m DEFAULT;"
    old = "CREATE TABLE m (id int, k text) PARTITION BY RANGE (id);" + parts
    new = "CREATE TABLE m (id int, k text, w int CHECK (w > 0)) PARTITION BY LIST (k);" + parts
    converge(old, new, rows="INSERT INTO m VALUES (1, 'a')", check="SELECT count(*) = 1 FROM m_d")


def test_the_name_of_a_NOT_NULL_that_will_be_inherited(converge: Converge) -> None:
    alone = "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 (id int);"
    converge(
        alone,
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT",
    )


def test_a_foreign_key_goes_before_the_partition_that_it_refers_to(converge: Converge) -> None:
    whole = "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE r (id int {});"
    old = whole.format("REFERENCES p") + "CREATE TABLE p1 PARTITION OF p DEFAULT"
    new = whole.format("") + "CREATE TABLE p1 (id int PRIMARY KEY)"
    converge(
        old,
        new,
        rows="INSERT INTO p VALUES (1); INSERT INTO r VALUES (1)",
        check="SELECT count(*) = 1 FROM p1",
    )


@pytest.mark.since(17, "SET EXPRESSION")
def test_each_partition_computes_in_its_own_way(converge: Converge) -> None:
    old = "CREATE TABLE m (k text{}) PARTITION BY LIST (k); CREATE TABLE m_d (k text{}); {}"
    attach = "ALTER TABLE m ATTACH PARTITION m_d DEFAULT;"
    plain = old.format("", "", attach)
    ways = [
        old.format(
            f", w text GENERATED ALWAYS AS (k || '{a}') STORED",
            f", w text GENERATED ALWAYS AS (k || '{b}') STORED",
            attach,
        )
        for a, b in (("x", "y"), ("z", "y"), ("x", "x"))
    ]
    for before in (plain, *ways):
        for after in (plain, *ways):
            if before != after:
                converge(
                    before, after, rows="INSERT INTO m (k) VALUES ('a')", check="SELECT count(*) = 1 FROM m"
                )


@pytest.mark.since(18, "WITHOUT OVERLAPS")
def test_temporal_keys_of_partitions_are_copies(converge: Converge) -> None:
    room = "CREATE TABLE room (id int4range, at daterange{}) PARTITION BY LIST (id); CREATE TABLE room1 PARTITION OF room {};"
    keyed = room.format(", PRIMARY KEY (id, at WITHOUT OVERLAPS)", "FOR VALUES IN ('[1,2)')")
    converge("", keyed)
    converge(room.format("", "DEFAULT"), keyed)
    converge(keyed, room.format("", "DEFAULT"))
