"""A table that is rebuilt copies its values: what the change of a type does to them is reported as for any other column."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.catalog.snapshot import Snapshot
from novaops.planning.busy import busy_relations
from novaops.planning.draft import draft
from novaops.planning.hazards import assess
from novaops.planning.plan import Hazard
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, snapshot
from tests.integration.convergence.test_rows_in_the_way import declared

TREE = (
    "CREATE TABLE t (id int, k int, a {0}) PARTITION BY RANGE (id);"
    "CREATE TABLE t1 PARTITION OF t DEFAULT PARTITION BY LIST (k); CREATE TABLE t2 PARTITION OF t1 DEFAULT;"
)
PLAIN = "CREATE TABLE t (id int, k int, a {0});"
OTHER_KEY = (
    "CREATE TABLE t (id int, k int, a {0}) PARTITION BY LIST (k); CREATE TABLE t9 PARTITION OF t DEFAULT;"
)
WAYS = {"united": (TREE, PLAIN), "divided": (PLAIN, TREE), "another key": (TREE, OTHER_KEY)}

# The type before and after, of which column, a value of it, and what is reported.
CHANGES = {
    "attribute that is dropped": (
        "CREATE TYPE c AS (x int, y text);", "CREATE TYPE c AS (x int);", "c", "ROW(1, 'y')", "data-loss:public.c.y"
    ),
    "attribute in an array": (
        "CREATE TYPE c AS (x int, y text);", "CREATE TYPE c AS (x int);", "c[]", "ARRAY[ROW(1, 'y')::c]",
        "data-loss:public.c.y",
    ),
    "attribute that is narrowed": (
        "CREATE TYPE c AS (x numeric(8,3));", "CREATE TYPE c AS (x numeric(8,1));", "c", "ROW(1.234)",
        "narrowing:public.c.x",
    ),
    "domain that is narrowed": (
        "CREATE DOMAIN d AS varchar(10);", "CREATE DOMAIN d AS varchar(3);", "d", "'abcdef'", "narrowing:public.d"
    ),
    "domain in a composite": (
        "CREATE DOMAIN d AS numeric(8,3); CREATE TYPE c AS (x d);",
        "CREATE DOMAIN d AS numeric(8,1); CREATE TYPE c AS (x d);", "c", "ROW(1.234)", "narrowing:public.d",
    ),
    "domain in a range": (
        "CREATE DOMAIN d AS numeric(8,3); CREATE TYPE r AS RANGE (SUBTYPE = d);",
        "CREATE DOMAIN d AS numeric(8,1); CREATE TYPE r AS RANGE (SUBTYPE = d);", "r", "'[1.234,)'", "narrowing:public.d",
    ),
    "enum in another order": (
        "CREATE TYPE e AS ENUM ('a', 'b');", "CREATE TYPE e AS ENUM ('b', 'a');", "e[]", "'{b}'", "behaviour:public.e"
    ),
    "label that is removed": (
        "CREATE TYPE e AS ENUM ('a', 'b');", "CREATE TYPE e AS ENUM ('a');", "e", "'b'", "check:public.e"
    ),
}  # fmt: skip


def reported(connection: psycopg.Connection, desired: Snapshot) -> list[Hazard]:
    """The hazards of a plan that takes care of the tables with rows."""
    live = snapshot(connection)
    busy = busy_relations(draft(live, desired, EVERYTHING, MANAGED), connection)
    made = draft(live, desired, EVERYTHING, MANAGED, busy=busy)
    found = assess(made.changes, made.scene, connection, comparison=MANAGED).hazards
    return [hazard for hazards in found.values() for hazard in hazards]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CHANGES)
def test_reported_once(new_database: Callable[..., str], way: str, name: str) -> None:
    (before, after), (old, new, type_, value, consent) = WAYS[way], CHANGES[name]
    desired = declared(new_database(), new + after.format(type_))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old + before.format(type_))
        connection.execute("INSERT INTO t VALUES (1, 1, NULL)")
        assert [h.consent for h in reported(connection, desired)] == ["offline:public.t"]
        connection.execute(f"INSERT INTO t VALUES (2, 2, {value})")
        found = {h.consent: h.affected for h in reported(connection, desired)}
        assert found.pop("offline:public.t") == 2
        assert found[consent] == 1
        assert found.keys() - {"narrowing:public.e"} == {consent}
