"""What ALTER … DEPENDS ON EXTENSION makes go with an extension; pg_dump writes it for all these."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

pytestmark = pytest.mark.extension("vector")

OBJECTS = """
CREATE EXTENSION vector;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE p() LANGUAGE sql AS '';
CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE INDEX i ON a (b);
CREATE TRIGGER "T" BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION t();
CREATE MATERIALIZED VIEW m AS SELECT id FROM a;
"""
DEPEND = "".join(
    f"ALTER {what} DEPENDS ON EXTENSION vector;"
    for what in (
        "FUNCTION f()", "PROCEDURE p()", 'TRIGGER "T" ON a', "INDEX i", "INDEX a_pkey", "MATERIALIZED VIEW m",
    )
)  # fmt: skip
FREE = DEPEND.replace("DEPENDS", "NO DEPENDS")


@pytest.mark.parametrize(("old", "new"), [("", DEPEND), (DEPEND, ""), (DEPEND, DEPEND + FREE)])
def test_is_set_and_taken_back(converge: Converge, old: str, new: str) -> None:
    assert len(converge(OBJECTS + old, OBJECTS + new)) == 6


def test_comes_with_what_is_made(converge: Converge) -> None:
    converge("", OBJECTS + DEPEND)


def test_stays_with_what_is_rebuilt(converge: Converge) -> None:
    changed = OBJECTS.replace("SELECT id FROM a", "SELECT id + 1 AS id FROM a").replace("(b)", "(b DESC)")
    converge(OBJECTS + DEPEND, changed + DEPEND)


def test_does_not_go_with_an_extension_that_it_no_longer_depends_on(converge: Converge) -> None:
    statements = converge(OBJECTS + DEPEND, OBJECTS.replace("CREATE EXTENSION vector;", ""))
    assert statements[-1] == "DROP EXTENSION vector"
    assert len(statements) == 7
