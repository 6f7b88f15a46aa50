"""A child that gets another parent keeps, gets or loses defaults of its own: INHERIT and ATTACH PARTITION bring none."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.planning.diff import diff
from novaops.planning.draft import draft
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot

DEFAULTS = """
    SELECT a.attrelid::regclass::text, a.attname, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2
"""
Lead = Callable[..., None]

ONE = "CREATE TABLE {parent} (id {id}); CREATE TABLE {child} (f polygon) INHERITS ({parent});"
DEEP = ONE + "CREATE TABLE {child}1 () INHERITS ({child}); CREATE TABLE {child}2 (g int) INHERITS ({child}1);"
BETWEEN = (
    "CREATE TABLE {parent}0 (id {id}); CREATE TABLE {parent} () INHERITS ({parent}0);"
    "CREATE TABLE {child} (f polygon) INHERITS ({parent});"
)
CHANGES = [
    ("bigserial", "bigserial"),
    ("bigserial", "bigint NOT NULL"),
    ("bigint NOT NULL", "bigserial"),
    ("bigserial", "bigint GENERATED ALWAYS AS IDENTITY"),
    ("bigint NOT NULL GENERATED ALWAYS AS IDENTITY", "bigserial"),
    ("int DEFAULT 1", "int DEFAULT 2"),
    ("int DEFAULT 1", "bigint DEFAULT 1"),
]
TREE = (
    "CREATE TABLE {parent} (id {id}, k int) PARTITION BY LIST (k);"
    "CREATE TABLE {child} PARTITION OF {parent} FOR VALUES IN (1) PARTITION BY RANGE (k);"
    "CREATE TABLE {child}1 PARTITION OF {child} DEFAULT;"
)


@pytest.fixture
def lead(new_database: Callable[..., str]) -> Lead:
    """`lead(old, new, rows, busy)`: each column of each level ends with the default that a new database has."""

    def run(old: str, new: str, rows: str = "", busy: Iterable[str] = ()) -> None:
        with (
            psycopg.connect(new_database(), autocommit=True) as goal,
            psycopg.connect(new_database(), autocommit=True) as current,
        ):
            goal.execute(new)
            current.execute(old)
            current.execute(rows or "SELECT")
            desired = snapshot(goal)
            tables = frozenset(Address("table", ("public", name)) for name in busy)
            execute(current, draft(snapshot(current), desired, EVERYTHING, MANAGED, busy=tables))
            assert diff(snapshot(current), desired, EVERYTHING, MANAGED) == {}
            assert current.execute(DEFAULTS).fetchall() == goal.execute(DEFAULTS).fetchall()

    return run


@pytest.mark.parametrize("shape", ["one level", "three levels"])
@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_another_parent(lead: Lead, shape: str, before: str, after: str) -> None:
    tables = ONE if shape == "one level" else DEEP
    child = "a" if before == after else "t"
    old, new = (tables.format(parent=p, child=child, id=i) for p, i in (("p", before), ("q", after)))
    lead(old, new)
    lead(old, new, f"INSERT INTO {child} (id) VALUES (1)", [child, f"{child}1", f"{child}2"])


@pytest.mark.parametrize(("old", "new"), [(ONE, BETWEEN), (BETWEEN, ONE)], ids=["more", "fewer"])
@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_level_more_or_less(lead: Lead, old: str, new: str, before: str, after: str) -> None:
    first = old.format(parent="p", child="t", id=before)
    then = new.format(parent="q", child="t", id=after)
    lead(first, then, "INSERT INTO t (id) VALUES (1)", ["t"])


@pytest.mark.parametrize(
    ("before", "after"), [("int DEFAULT 1", "int DEFAULT 2"), ("int DEFAULT 1", "bigint")]
)
def test_another_partitioned_table(lead: Lead, before: str, after: str) -> None:
    old, new = (TREE.format(parent=p, child="t", id=i) for p, i in (("p", before), ("q", after)))
    lead(old, new, "INSERT INTO t (id, k) VALUES (1, 1)", ["t", "t1"])
