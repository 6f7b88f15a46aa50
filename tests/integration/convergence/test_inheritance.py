"""A column of a parent goes; what becomes of it in the children is theirs to say."""

from __future__ import annotations

from tests.integration.convergence.conftest import Converge

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
