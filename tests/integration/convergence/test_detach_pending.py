"""A partition that DETACH PARTITION … CONCURRENTLY has left half-way, which novaops completes first."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.kinds import registry
from novaops.planning.diff import diff
from novaops.planning.draft import draft
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot

WHOLE = "CREATE TABLE whole (a int, b int) PARTITION BY LIST (a);"
PART = "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);"
INDEX = "CREATE INDEX i ON whole (b);"
ALONE = "CREATE TABLE part (a int, b int); CREATE INDEX part_b_idx ON part (b);"
WIDER = "CREATE TABLE whole (a int, b bigint, c int) PARTITION BY LIST (a);"


@pytest.mark.parametrize(
    "new",
    [
        WHOLE + PART + INDEX,
        WHOLE + PART.replace("1", "2") + INDEX,
        WHOLE + INDEX + ALONE,
        WIDER + PART,
        "CREATE TABLE whole (a int) PARTITION BY LIST (a);" + PART,
        WHOLE + INDEX,
        "",
    ],
)
def test_is_completed(new_database: Callable[..., str], new: str) -> None:
    current, goal = new_database(), new_database()
    with psycopg.connect(goal, autocommit=True) as connection:
        connection.execute(new or "SELECT")
        desired = snapshot(connection)
    with psycopg.connect(current, autocommit=True) as connection:
        connection.execute(WHOLE + PART + INDEX)
        leave_half_way(connection, current)
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        execute(connection, made)
        assert diff(snapshot(connection), desired, EVERYTHING, MANAGED) == {}
    statements = [written.step.sql for written in made.written]
    if "TABLE part" in new:
        assert statements[0] == "ALTER TABLE public.whole DETACH PARTITION public.part FINALIZE"


def leave_half_way(connection: psycopg.Connection, url: str) -> None:
    """Its first transaction commits, its second waits for whoever uses the table."""
    with psycopg.connect(url) as reader:
        reader.execute("SELECT FROM whole")
        connection.execute("SET statement_timeout = '200ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("ALTER TABLE whole DETACH PARTITION part CONCURRENTLY")
        connection.execute("RESET statement_timeout")
    pending = connection.execute("SELECT FROM pg_inherits WHERE inhdetachpending").fetchall()
    assert len(pending) == 1


def test_one_that_is_half_way_in_the_declared_state_is_told(new_database: Callable[..., str]) -> None:
    current, goal = new_database(), new_database()
    snapshots = []
    for url in (current, goal):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(WHOLE + PART)
            if url == goal:
                leave_half_way(connection, url)
            snapshots.append(snapshot(connection))
    live, desired = snapshots
    changes = diff(live, desired, EVERYTHING, MANAGED)
    # The CHECK that DETACH … CONCURRENTLY begins with.
    assert [address.type for address in changes] == ["table constraint"]
    table = Address("table", ("public", "part"))
    assert "stays where it is" in registry()["table"].beyond(live[table], desired[table])["detach_pending"]
