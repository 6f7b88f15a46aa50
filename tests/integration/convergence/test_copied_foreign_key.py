"""The foreign keys of partitions that are copies of their table's: nobody chooses what they are called."""

from __future__ import annotations

from tests.integration.convergence.conftest import Converge

TABLES = """
    CREATE TABLE q (k int PRIMARY KEY);
    CREATE TABLE p (k int, n int) PARTITION BY LIST (k);
    CREATE TABLE p1 (k int, n int) PARTITION BY LIST (k);
    CREATE TABLE p11 PARTITION OF p1 DEFAULT;
"""
ATTACH = "ALTER TABLE p ATTACH PARTITION p1 DEFAULT;"
# The partition's own key becomes a copy, under the name that it has.
NAMED = (
    TABLES
    + """
    ALTER TABLE p1 ADD CONSTRAINT own FOREIGN KEY (k) REFERENCES q;
    ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (k) REFERENCES q;
"""
)
NAMED += ATTACH
PLAIN = TABLES + ATTACH + "ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (k) REFERENCES q;"


def test_another_name_makes_no_difference(converge: Converge) -> None:
    assert converge(NAMED, PLAIN) == []
    assert converge(PLAIN, NAMED) == []
    converge("", NAMED)


def test_its_foreign_key_changes(converge: Converge) -> None:
    for new in (PLAIN, NAMED):
        converge(NAMED, new.replace("REFERENCES q", "REFERENCES q ON DELETE CASCADE"))
    converge(NAMED, TABLES + ATTACH)


def test_its_table_goes_its_own_way(converge: Converge) -> None:
    converge(NAMED, TABLES + "ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (k) REFERENCES q")
    converge(NAMED, PLAIN.replace("k int, n int) PARTITION", "k bigint, n int) PARTITION"))
