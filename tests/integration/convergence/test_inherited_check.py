"""An inherited CHECK may be valid where the parent's is not: pg_dump shows that of a partition."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

TREES = {
    "partition": (
        "CREATE TABLE whole (a int) PARTITION BY LIST (a);",
        "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);",
    ),
    "child": ("CREATE TABLE whole (a int);", "CREATE TABLE part () INHERITS (whole);"),
}
LATE = "ALTER TABLE whole ADD CONSTRAINT positive CHECK (a > {}) NOT VALID;"


@pytest.mark.parametrize("tree", TREES)
def test_valid_in_what_inherits(converge: Converge, tree: str) -> None:
    whole, part = TREES[tree]
    valid_there = whole + LATE.format(0) + part
    converge("", valid_there)
    converge(whole + part, valid_there)
    converge(whole + part + LATE.format(0), valid_there)
    converge(whole + LATE.format(1) + part, valid_there)
    converge(valid_there, whole + part)
