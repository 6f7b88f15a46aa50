"""Rows that those who read a parent would no longer find there; empty tables leave unasked."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

EVENTS = "CREATE TABLE event (day int) PARTITION BY RANGE (day); CREATE TABLE may"
PARTITION = " PARTITION OF event FOR VALUES FROM (1) TO"
PARENTS = "CREATE TABLE event (day int); CREATE TABLE other (day int); CREATE TABLE may"

CASES = {
    "detach": (f"{EVENTS}{PARTITION} (9)", f"{EVENTS} (day int)", ["public.event"]),
    "other bound": (f"{EVENTS}{PARTITION} (9)", f"{EVENTS}{PARTITION} (5)", []),
    "other parent": (
        f"CREATE TABLE other (day int) PARTITION BY RANGE (day); {EVENTS}{PARTITION} (9)",
        f"CREATE TABLE other (day int) PARTITION BY RANGE (day); {EVENTS} PARTITION OF other DEFAULT",
        ["public.event"],
    ),
    "no inherit": (f"{PARENTS} () INHERITS (event, other)", f"{PARENTS} () INHERITS (other)", ["public.event"]),
    "two parents": (
        f"{PARENTS} () INHERITS (event, other)", f"{PARENTS} (day int)", ["public.event", "public.other"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rows(new_database: Callable[..., str], name: str) -> None:
    old, new, parents = CASES[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert told(connection, desired) == []
        connection.execute("INSERT INTO may VALUES (1), (2), (3)")
        found = told(connection, desired, carry_out=True)
        assert [(h.consent, h.message) for h in found] == [
            ("behaviour:public.may", f"3 rows would leave {parent}") for parent in parents
        ]
        assert all(len(connection.execute(h.query or "").fetchall()) == 3 for h in found)
