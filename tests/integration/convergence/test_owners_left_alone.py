"""Where owners are not compared, what the files grant to the live owner makes no difference: he has it as such."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.planning.diff import diff
from novaops.planning.draft import draft
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot

CASES = {
    "table": ("CREATE TABLE t (a int); ALTER TABLE t OWNER TO pg_monitor;", "CREATE TABLE t (a bigint, b serial); GRANT SELECT ON t TO pg_monitor;"),
    "made anew": (
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; ALTER TABLE m OWNER TO pg_monitor;",
        "CREATE MATERIALIZED VIEW m AS SELECT 2 AS a; GRANT SELECT ON m TO pg_monitor, pg_read_all_stats;",
    ),
    "schema": ("CREATE SCHEMA s AUTHORIZATION pg_monitor", "CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO pg_monitor"),
    "sequence of a table made anew": (
        "CREATE TABLE t (a int) PARTITION BY LIST (a); ALTER TABLE t OWNER TO pg_monitor",
        "CREATE TABLE t (a serial); ALTER TABLE t OWNER TO pg_monitor",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_granted_to_the_owner(new_database: Callable[..., str], name: str) -> None:
    old, new = CASES[name]
    with (
        psycopg.connect(new_database(), autocommit=True) as goal,
        psycopg.connect(new_database(), autocommit=True) as current,
    ):
        goal.execute(new)
        desired = snapshot(goal)
        current.execute(old)
        execute(current, draft(snapshot(current), desired, EVERYTHING, MANAGED))
        assert diff(snapshot(current), desired, EVERYTHING, MANAGED) == {}
