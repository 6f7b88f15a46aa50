"""Types that can only be made anew, with all that depends on them."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

ENUM = """
CREATE TYPE mood AS ENUM ({labels});
CREATE TABLE diary (i int, m mood DEFAULT 'sad', ms mood[] DEFAULT '{{sad}}', CHECK (m <> 'mad'));
CREATE INDEX ON diary (m);
CREATE VIEW sad AS SELECT m, count(*) FROM diary WHERE m = 'sad' GROUP BY m;
CREATE FUNCTION worse(mood) RETURNS mood LANGUAGE sql AS 'SELECT $1';
CREATE MATERIALIZED VIEW moods AS SELECT worse(m) AS m FROM diary;
CREATE UNIQUE INDEX ON moods (m);
GRANT SELECT ON sad TO PUBLIC;
COMMENT ON FUNCTION worse(mood) IS 'what comes next'
"""
NESTED = """
CREATE TYPE mood AS ENUM ({labels});
CREATE DOMAIN bearable AS mood CHECK (VALUE <> 'mad');
CREATE TYPE state AS (m bearable, since int);
CREATE TABLE diary (s state, b bearable DEFAULT 'sad')
"""
DOMAIN = """
CREATE DOMAIN amount AS {base} CHECK (VALUE > 0);
CREATE TABLE sale (a amount PRIMARY KEY, b amount DEFAULT 5);
CREATE TABLE refund (a amount REFERENCES sale);
CREATE VIEW sales AS SELECT a FROM sale;
CREATE FUNCTION twice(amount) RETURNS {base} LANGUAGE sql RETURN $1 * 2
"""
LABELS = {"labels": "'sad', 'mad', 'glad'"}
OTHER_ORDER = {"labels": "'glad', 'mad', 'sad'"}


def test_functions_of_an_enum_go_before_it_is_set_aside(converge: Converge) -> None:
    rows, kept = "INSERT INTO diary VALUES (1)", "SELECT m = 'sad', ms = '{sad}' FROM diary"
    converge(ENUM.format(**LABELS), ENUM.format(**OTHER_ORDER), rows=rows, check=kept)


def test_an_enum_within_a_domain_within_a_composite(converge: Converge) -> None:
    rows = "INSERT INTO diary VALUES (ROW('glad', 3))"
    kept = "SELECT (s).m::text = 'glad', b::text = 'sad' FROM diary"
    converge(NESTED.format(**LABELS), NESTED.format(**OTHER_ORDER), rows=rows, check=kept)


def test_the_base_type_of_a_domain_with_constraints(converge: Converge) -> None:
    rows, kept = "INSERT INTO sale VALUES (7, 8)", "SELECT a = 7, b = 8 FROM sale"
    converge(DOMAIN.format(base="int"), DOMAIN.format(base="bigint"), rows=rows, check=kept)


def test_an_enum_becomes_a_composite(converge: Converge) -> None:
    column = "; CREATE TABLE holder (i int, v thing)"
    converge("CREATE TYPE thing AS ENUM ('a')" + column, "CREATE TYPE thing AS (a int)" + column)


@pytest.mark.parametrize("added", ["CONSTRAINT c CHECK (VALUE > 0)", "NOT NULL"])
@pytest.mark.parametrize(
    ("holders", "rows", "kept"),
    [
        ("CREATE TABLE t (a d, b d[])", "(1, '{2}')", "SELECT a = 1, b[1] = 2 FROM t"),
        (
            "CREATE TYPE y AS (i d); CREATE TABLE t (a d, b y)",
            "(1, ROW(2))",
            "SELECT a = 1, (b).i = 2 FROM t",
        ),
        ("CREATE DOMAIN e AS d[]; CREATE TABLE t (a e)", "('{1}')", "SELECT a = '{1}' FROM t"),
    ],
)
def test_a_domain_within_other_types_is_constrained(
    converge: Converge, holders: str, rows: str, kept: str, added: str
) -> None:
    insert = f"INSERT INTO t VALUES {rows}"
    converge(
        f"CREATE DOMAIN d AS int; {holders}",
        f"CREATE DOMAIN d AS int {added}; {holders}",
        rows=insert,
        check=kept,
    )
