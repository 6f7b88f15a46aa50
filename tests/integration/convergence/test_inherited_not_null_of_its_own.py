"""A NOT NULL may be inherited and the table's own at once (`pg_constraint.conislocal`, PostgreSQL 18)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.integration.convergence.conftest import Converge

PARENT = "CREATE TABLE parent (a int NOT NULL);"
NULLABLE = "CREATE TABLE parent (a int);"
CHILDREN = {
    "inherited": PARENT + "CREATE TABLE child (b int) INHERITS (parent);",
    "besides": PARENT + "CREATE TABLE child (b int, NOT NULL a) INHERITS (parent);",
    "own": NULLABLE
    + "CREATE TABLE child (b int, CONSTRAINT parent_a_not_null NOT NULL a) INHERITS (parent);",
    "own under another name": NULLABLE + "CREATE TABLE child (b int, NOT NULL a) INHERITS (parent);",
    "none": NULLABLE + "CREATE TABLE child (b int) INHERITS (parent);",
    "redeclared": PARENT + "CREATE TABLE child (a int, b int) INHERITS (parent);",
    "joined": PARENT + "CREATE TABLE child (a int NOT NULL, b int); ALTER TABLE child INHERIT parent;",
    "apart": PARENT + "CREATE TABLE child (a int CONSTRAINT parent_a_not_null NOT NULL, b int);",
    "nullable apart": PARENT + "CREATE TABLE child (a int, b int);",
    "other parent": PARENT
    + "CREATE TABLE other (a int NOT NULL); CREATE TABLE child (b int) INHERITS (other);",
}
# A column that is inherited, and declared or not, stays so: PostgreSQL has no statement for that.
INHERITED = ["inherited", "besides", "own", "own under another name", "none"]
REACHED = [
    *permutations(INHERITED, 2),
    ("apart", "joined"),
    ("nullable apart", "apart"),
    ("apart", "nullable apart"),
]
# An inherited NOT NULL is not renamed, and stays the table's own: PostgreSQL has no statement for that.
UNREACHED = {
    ("besides", "inherited"),
    ("inherited", "besides"),
    ("own", "inherited"),
    ("own under another name", "inherited"),
}


SINCE_18 = {"besides", "own", "own under another name"}


def case(*states: str) -> Any:
    marks = [pytest.mark.since(18, "NOT NULL as a constraint of a table")] if SINCE_18 & {*states} else []
    return pytest.param(*states, marks=marks)


@pytest.mark.parametrize(("old", "new"), [case(*pair) for pair in REACHED if pair not in UNREACHED])
def test_transitions(converge: Converge, old: str, new: str) -> None:
    converge(CHILDREN[old], CHILDREN[new])


@pytest.mark.parametrize("new", [case(state) for state in CHILDREN])
def test_from_nothing(converge: Converge, new: str) -> None:
    converge("", CHILDREN[new])
