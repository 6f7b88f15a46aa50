"""A column of a parent goes; what becomes of it in the children is theirs to say."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.planning.diff import diff
from novaops.planning.draft import draft
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, Converge, snapshot

TREE = """
CREATE TABLE parent (a int, b int);
CREATE TABLE child (c int) INHERITS (parent);
CREATE TABLE other (d int) INHERITS (parent);
CREATE TABLE grandchild (e int) INHERITS (child)
"""
ROWS = "INSERT INTO child VALUES (1, 2, 3); INSERT INTO grandchild VALUES (1, 2, 3, 4)"


def test_child_keeps_the_column(converge: Converge) -> None:
    new = """
        CREATE TABLE parent (a int);
        CREATE TABLE child (b int, c int) INHERITS (parent);
        CREATE TABLE other (d int) INHERITS (parent);
        CREATE TABLE grandchild (e int) INHERITS (child)
    """
    kept = "SELECT bool_and(b = 2), count(*) = 2 FROM child"
    assert converge(TREE, new, rows=ROWS, check=kept) == [
        "ALTER TABLE ONLY public.parent DROP COLUMN b",
        "ALTER TABLE public.other DROP COLUMN b",
    ]


def test_grandchild_keeps_the_column(converge: Converge) -> None:
    new = """
        CREATE TABLE parent (a int);
        CREATE TABLE child (c int) INHERITS (parent);
        CREATE TABLE other (d int) INHERITS (parent);
        CREATE TABLE grandchild (b int, e int) INHERITS (child)
    """
    converge(TREE, new, rows=ROWS, check="SELECT b = 2 FROM grandchild")


def test_column_goes_everywhere(converge: Converge) -> None:
    assert converge(TREE, TREE.replace(", b int", "")) == ["ALTER TABLE public.parent DROP COLUMN b"]


def test_child_had_a_column_of_its_own(converge: Converge) -> None:
    parent = "CREATE TABLE parent (a int, b int);"
    own = parent + "CREATE TABLE child (b int, c int) INHERITS (parent)"
    converge(own, own.replace("b int, c", "c").replace(", b int", ""))
    rows, kept = "INSERT INTO child VALUES (1, 2, 3)", "SELECT b = 2 FROM child"
    converge(own, own.replace(", b int", ""), rows=rows, check=kept)


def test_child_is_let_go(converge: Converge) -> None:
    old = "CREATE TABLE parent (a int, b int); CREATE TABLE child (c int) INHERITS (parent)"
    converge(old, "CREATE TABLE parent (a int); CREATE TABLE child (a int, c int)")
    converge(old, "CREATE TABLE child (a int, c int)")


def test_child_declares_a_generated_column_again(converge: Converge) -> None:
    """Until PostgreSQL 15 its definition takes no expression, even the same."""
    parent = "CREATE TABLE parent (a int, b int GENERATED ALWAYS AS (a * 2) STORED);"
    converge("", parent + "CREATE TABLE child (b int, c int) INHERITS (parent)")


def test_parent_has_a_column_again(converge: Converge) -> None:
    """A child without columns is a child all the same."""
    new = "CREATE TABLE parent (a int, b int); CREATE TABLE child () INHERITS (parent)"
    converge("CREATE TABLE parent (); CREATE TABLE child () INHERITS (parent)", new)


def test_child_has_the_check_of_its_parent_itself(converge: Converge) -> None:
    tables = "CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent)"
    own = "; ALTER TABLE child ADD CONSTRAINT c CHECK (a > 0)"
    inherited = "; ALTER TABLE parent ADD CONSTRAINT c CHECK (a > 0)"
    for checks in (own + inherited, own + inherited + " NOT VALID"):
        converge(tables, tables + checks)
        converge("", tables + checks)


def test_a_check_of_both_goes_with_that_of_the_parent(converge: Converge) -> None:
    tables = "CREATE TABLE parent (a int {0}); CREATE TABLE child (b int {0}) INHERITS (parent); CREATE TABLE last () INHERITS (child);"
    old, new = tables.format(", CONSTRAINT c CHECK (a > 0)"), tables.format("")
    converge(old, new)
    converge(old, tables.format(", CONSTRAINT d CHECK (a > 1)"))


ALONE = "CREATE TABLE parent (a int NOT NULL DEFAULT 3, b text, CHECK (a > 0)); CREATE TABLE child (a int, b text, c int);"
UNDER = "CREATE TABLE parent (a int NOT NULL DEFAULT 3, b text, CHECK (a > 0)); CREATE TABLE child (c int) INHERITS (parent);"
ELSEWHERE = (
    "CREATE TABLE parent (a int NOT NULL DEFAULT 3, b text, CHECK (a > 0)); CREATE TABLE child (c int);"
)


def test_an_empty_table_comes_to_inherit_its_columns(converge: Converge) -> None:
    """INHERIT leaves a column declared in the child: without rows the table is made anew."""
    for old in (ALONE, ELSEWHERE):
        converge(old + "CREATE VIEW v AS SELECT c FROM child", UNDER + "CREATE VIEW v AS SELECT c FROM child")
        converge(UNDER, old)


@pytest.mark.parametrize(("old", "row"), [(ALONE, "(1, 'x', 1)"), (ELSEWHERE, "(1)")])
def test_rows_stay_in_a_table_that_comes_to_inherit(
    database: psycopg.Connection[Any], old: str, row: str
) -> None:
    with database.transaction(force_rollback=True):
        database.execute(UNDER.replace("NOT NULL", "") if old == ELSEWHERE else UNDER)
        goal = snapshot(database)
    database.execute(old.replace("NOT NULL", "") if old == ELSEWHERE else old)
    database.execute(f"INSERT INTO child VALUES {row}")
    busy = frozenset({Address("table", ("public", "child"))})
    made = draft(snapshot(database), goal, EVERYTHING, MANAGED, busy=busy)
    for written in made.written:
        database.execute(written.step.sql)
    assert database.execute("SELECT count(*) = 1, bool_and(c = 1) FROM ONLY child").fetchone() == (True, True)
    assert diff(snapshot(database), goal, EVERYTHING, MANAGED) == {}
