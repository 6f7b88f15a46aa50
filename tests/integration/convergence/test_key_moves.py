"""A primary key moves to another column of a table with rows: at no time there is none."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.planning.draft import Draft, draft
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, Converge, snapshot

OLD = "CREATE TABLE t (id int PRIMARY KEY, k int);"
NEW = "CREATE TABLE t (id int, k int CONSTRAINT tk PRIMARY KEY);"
VIEW = "CREATE VIEW v AS SELECT id, k, count(*) AS n FROM t GROUP BY {};"
ROWS = "INSERT INTO t VALUES (1, 10), (2, 20)"
# From and to, by what else changes.
CASES = {
    "another column": (OLD, NEW),
    "a view that groups by it": (OLD + VIEW.format("id"), NEW.replace("id int", "id int NOT NULL") + VIEW.format("k")),
    "a view, and the old column may be NULL": (OLD + VIEW.format("id"), NEW + VIEW.format("k")),
    "the same name": (OLD, "CREATE TABLE t (id int, k int CONSTRAINT t_pkey PRIMARY KEY);"),
    "a unique constraint stays": (OLD, "CREATE TABLE t (id int UNIQUE, k int CONSTRAINT tk PRIMARY KEY);"),
    "to a pair": (OLD, "CREATE TABLE t (id int, k int, CONSTRAINT tk PRIMARY KEY (k, id));"),
    "no key": (OLD, "CREATE TABLE t (id int, k int);"),
    "replica identity": (
        "CREATE TABLE t (id int NOT NULL, k int); CREATE UNIQUE INDEX i ON t (id); ALTER TABLE t REPLICA IDENTITY USING INDEX i;",
        "CREATE TABLE t (id int, k int NOT NULL); CREATE UNIQUE INDEX j ON t (k); ALTER TABLE t REPLICA IDENTITY USING INDEX j;",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("busy", [(), ("t",)])
def test_it_converges(converge: Converge, name: str, busy: tuple[str, ...]) -> None:
    converge(*CASES[name], rows=ROWS, check="SELECT count(*) = 2 FROM t", busy=busy)


def planned(new_database: Callable[..., str], old: str, new: str) -> Draft:
    with psycopg.connect(new_database(), autocommit=True) as goal:
        goal.execute(new)
        desired = snapshot(goal)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        live = snapshot(connection)
    return draft(live, desired, EVERYTHING, MANAGED, busy=frozenset({Address("table", ("public", "t"))}))


@pytest.mark.parametrize("name", ["another column", "the same name", "to a pair"])
def test_at_no_time_there_is_none(new_database: Callable[..., str], name: str) -> None:
    made = planned(new_database, *CASES[name])
    numbers = {
        text: number
        for number, written in zip(made.numbers, made.written, strict=True)
        for text in ("DROP CONSTRAINT t_pkey", "PRIMARY KEY USING INDEX")
        if text in written.step.sql
    }
    assert len(numbers) == 2
    assert len(set(numbers.values())) == 1, [w.step.sql for w in made.written]
