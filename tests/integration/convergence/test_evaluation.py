"""What runs functions while it is made waits for all that these may need, which `pg_depend` does not know."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

TABLE = "CREATE TABLE document (id bigint PRIMARY KEY, title text NOT NULL);"
FUNCTIONS = """
CREATE FUNCTION a_normal(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT z_inner($1)';
CREATE FUNCTION z_inner(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
ALTER FUNCTION a_normal SET search_path = public;
"""
ROWS = "INSERT INTO document VALUES (1, 'A')"


@pytest.mark.parametrize("busy", [(), ("document",)])
def test_index_over_rows(converge: Converge, busy: tuple[str, ...]) -> None:
    new = (
        "SET check_function_bodies = off;" + FUNCTIONS + TABLE + "CREATE INDEX ON document (a_normal(title));"
    )
    converge(TABLE, new, rows=ROWS, busy=busy)


@pytest.mark.parametrize("busy", [(), ("document",)])
def test_check_over_rows(converge: Converge, busy: tuple[str, ...]) -> None:
    check = "ALTER TABLE document ADD CONSTRAINT normal CHECK (a_normal(title) <> '');"
    converge(TABLE, "SET check_function_bodies = off;" + FUNCTIONS + TABLE + check, rows=ROWS, busy=busy)
