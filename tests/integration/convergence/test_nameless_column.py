"""Columns of queries that have no name are not given one by the text they are deparsed to."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

FUNCTION = "CREATE FUNCTION f(p int DEFAULT 0) RETURNS {result} LANGUAGE sql BEGIN ATOMIC {body}; END"


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ("text", "SELECT 'x'"),
        ("int", "SELECT -5"),
        ("text", "SELECT DISTINCT 'x'"),
        ("setof text", "SELECT 'x' UNION ALL SELECT NULL UNION ALL SELECT (SELECT 'y')"),
        ("text", "SELECT 'x' FROM (SELECT 'y' AS a, 'z') AS t WHERE a IN (SELECT 'w')"),
        (
            "void",
            "INSERT INTO t SELECT 'x'; SELECT 'a'; DELETE FROM t WHERE t = 'y' RETURNING 'z'; SELECT NULL",
        ),
        ("text", "SELECT 'x' AS text"),
        ("int", "SELECT p"),
        ("int", "SELECT CASE WHEN p IS DISTINCT FROM 5 THEN p ELSE -1 END"),
    ],
)
def test_body(converge: Converge, result: str, body: str) -> None:
    table = "CREATE TABLE t (t text);"
    converge(table, table + FUNCTION.format(result=result, body=body))


def test_subquery_in_a_view(converge: Converge) -> None:
    converge(
        "", "CREATE VIEW v AS SELECT (SELECT 'x') AS a, ARRAY(SELECT 'y') AS b, 'z', EXISTS (SELECT 'w')"
    )
