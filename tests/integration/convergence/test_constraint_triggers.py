"""Constraints whose triggers ALTER TABLE … DISABLE TRIGGER ALL has switched off."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.convergence.conftest import Converge

TABLES = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a, u int UNIQUE DEFERRABLE);"
PARTITIONED = (
    "CREATE TABLE a (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE a1 PARTITION OF a DEFAULT;"
    "CREATE TABLE b (a int REFERENCES a) PARTITION BY LIST (a); CREATE TABLE b1 PARTITION OF b DEFAULT;"
)


@pytest.mark.parametrize(
    ("tables", "table"),
    [(TABLES, "a"), (TABLES, "b"), (PARTITIONED, "a1"), (PARTITIONED, "b"), (PARTITIONED, "b1")],
)
def test_one_whose_triggers_are_disabled_is_made_anew(converge: Converge, tables: str, table: str) -> None:
    """Nobody has watched its rows; pg_dump says nothing of it."""
    statements = converge(f"{tables} ALTER TABLE {table} DISABLE TRIGGER ALL", tables)
    assert any("ADD CONSTRAINT b_a_fkey FOREIGN KEY" in s for s in statements)


def test_rows_are_checked_when_it_is_made_anew(converge: Converge) -> None:
    off = f"{TABLES} ALTER TABLE b DISABLE TRIGGER ALL; INSERT INTO b VALUES (7)"
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        converge(off, TABLES, busy=["b"])


@pytest.mark.parametrize("old", ["", TABLES])
def test_triggers_that_are_to_be_disabled(converge: Converge, old: str) -> None:
    converge(old, f"{TABLES} ALTER TABLE b DISABLE TRIGGER ALL; ALTER TABLE a DISABLE TRIGGER ALL")
