"""The same text means something else when what it calls has other arguments, or another key is found first."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

OLD = "CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a';"
NEW = "CREATE FUNCTION f(a int, b text DEFAULT 'y', c int DEFAULT 3) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT a::bigint';"
COMPUTED = "CREATE TABLE t (a int, b {} GENERATED ALWAYS AS (f(2, 'z')) STORED);"


def test_a_computed_column_whose_type_changes_too(converge: Converge) -> None:
    converge(OLD + COMPUTED.format("int"), NEW + COMPUTED.format("bigint"), rows="INSERT INTO t VALUES (1)")


def test_a_view_of_a_busy_table_is_made_when_no_other_function_is_meant(converge: Converge) -> None:
    used = "CREATE TABLE t (a int CHECK (f(a) > 0)); CREATE VIEW v AS SELECT f(a) AS f FROM t;"
    converge(OLD + used, NEW + used, rows="INSERT INTO t VALUES (1)", busy=["t"])


def test_a_foreign_key_does_not_find_the_key_that_goes(converge: Converge) -> None:
    tables = "CREATE TABLE p (x int NOT NULL, y int NOT NULL, {0}); CREATE TABLE c (x int, y int, FOREIGN KEY (x, y) REFERENCES p (x, y){1});"
    for rows in ("", "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1, 1)"):
        converge(
            tables.format("PRIMARY KEY (x, y)", ""),
            tables.format("UNIQUE (x, y)", " MATCH FULL"),
            rows=rows,
            busy=["p", "c"] if rows else [],
        )


def test_what_was_computed_is_stored_with_another_type(converge: Converge) -> None:
    table = "CREATE TABLE t (a int, b {});"
    converge(
        table.format("int GENERATED ALWAYS AS (a * 2) STORED"),
        table.format("text[]"),
        rows="",
    )


VALUES = (
    "CREATE VIEW v (x, y) AS VALUES (1, 'a'), (2, 'b')",
    'CREATE VIEW v (x, "Y z") AS VALUES (1, \'a"*VALUES*"\'), (2, NULL) ORDER BY 1 LIMIT 1',
    "CREATE VIEW v (x) AS VALUES (1, 'a')",
    "CREATE VIEW v AS VALUES (1, 'a')",
    "CREATE VIEW v AS SELECT * FROM (VALUES (1, 'a')) AS t (x, y)",
    "CREATE MATERIALIZED VIEW v (x, y) AS VALUES (1, 'a'), (2, 'b')",
)


@pytest.mark.parametrize("new", VALUES)
def test_columns_of_VALUES_with_names_of_their_own(converge: Converge, new: str) -> None:
    converge("", new)
    converge(VALUES[0] if new != VALUES[0] else VALUES[1], new)


def test_a_cast_of_an_array_within_statistics(converge: Converge) -> None:
    table = "CREATE TABLE t (n varchar(5), m text);"
    converge(table, table + "CREATE STATISTICS s ON (n IN ('a', 'b')), lower(m) FROM t")
