"""An object of one kind takes the name of an object of another kind, with all that uses it."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

CASES = {
    "table to view with a trigger and a rule": (
        """
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE t (a int, b int);
        CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
        CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
        """,
        """
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE VIEW t AS SELECT 1 AS a, 2 AS b;
        CREATE TRIGGER g INSTEAD OF INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
        CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
        """,
    ),
    "enum to table": (
        """
        CREATE TYPE t AS ENUM ('a');
        """,
        """
        CREATE TABLE t (a int);
        """,
    ),
    "enum used to table": (
        """
        CREATE TYPE t AS ENUM ('a');
        CREATE TABLE u (x t, y int);
        """,
        """
        CREATE TABLE t (a int);
        CREATE TABLE u (x text, y int);
        """,
    ),
    "composite to table": (
        """
        CREATE TYPE t AS (a int);
        """,
        """
        CREATE TABLE t (a int);
        """,
    ),
    "view matview table": (
        """
        CREATE TABLE b (a int);
        CREATE VIEW t AS SELECT a FROM b;
        CREATE VIEW v AS SELECT * FROM t;
        """,
        """
        CREATE TABLE b (a int);
        CREATE MATERIALIZED VIEW t AS SELECT a FROM b;
        CREATE VIEW v AS SELECT * FROM t;
        """,
    ),
    "matview table": (
        """
        CREATE TABLE b (a int);
        CREATE MATERIALIZED VIEW t AS SELECT a FROM b;
        CREATE VIEW v AS SELECT * FROM t;
        """,
        """
        CREATE TABLE b (a int);
        CREATE TABLE t (a int);
        CREATE VIEW v AS SELECT * FROM t;
        """,
    ),
    "domain to enum": (
        """
        CREATE DOMAIN t AS text;
        CREATE TABLE u (x t DEFAULT 'a');
        """,
        """
        CREATE TYPE t AS ENUM ('a');
        CREATE TABLE u (x t DEFAULT 'a');
        """,
    ),
    "domain base": (
        """
        CREATE DOMAIN t AS int CHECK (value > 0);
        CREATE TABLE u (x t DEFAULT 1, y t[]);
        CREATE FUNCTION f(t) RETURNS t LANGUAGE sql AS 'select $1';
        CREATE VIEW v AS SELECT x FROM u;
        """,
        """
        CREATE DOMAIN t AS bigint CHECK (value > 0);
        CREATE TABLE u (x t DEFAULT 1, y t[]);
        CREATE FUNCTION f(t) RETURNS t LANGUAGE sql AS 'select $1';
        CREATE VIEW v AS SELECT x FROM u;
        """,
    ),
    "text to enum": (
        """
        CREATE TABLE u (x text DEFAULT 'a');
        """,
        """
        CREATE TYPE t AS ENUM ('a');
        CREATE TABLE u (x t DEFAULT 'a');
        """,
    ),
}


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("case", CASES)
def test_transition(converge: Converge, case: str, way: str) -> None:
    old, new = CASES[case] if way == "there" else reversed(CASES[case])
    converge(old, new)
