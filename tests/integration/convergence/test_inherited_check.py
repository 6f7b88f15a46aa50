"""An inherited CHECK may be valid where the parent's is not: pg_dump shows that of a partition."""

from __future__ import annotations

import pytest

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds import registry
from tests.integration.convergence.conftest import Converge

CHECK = Address("table constraint", ("public", "whole", "c"))

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


PARENT = "CREATE TABLE whole (a int, CONSTRAINT c CHECK (a > {}));"
BARE = "CREATE TABLE whole (a int);"
CHILD, DECLARED = (
    f"CREATE TABLE part ({rest}) INHERITS (whole);" for rest in ("", "CONSTRAINT c CHECK (a > {})")
)
GRANDCHILD = DECLARED.replace("part", "grandpart").replace("whole", "part")


@pytest.mark.parametrize("below", ["", "CREATE TABLE grandpart () INHERITS (part);"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PARENT.format(0) + CHILD, (PARENT + DECLARED).format(0, 0)),
        ((PARENT + DECLARED).format(0, 0), (PARENT + DECLARED).format(1, 1)),
        (PARENT.format(0) + CHILD, (PARENT + DECLARED).format(1, 1)),
        ((PARENT + DECLARED).format(0, 0), PARENT.format(1) + CHILD),
        ((PARENT + DECLARED).format(0, 0), BARE + CHILD),
        ((PARENT + DECLARED).format(0, 0), BARE + DECLARED.format(0)),
        (BARE + DECLARED.format(0), (PARENT + DECLARED).format(0, 0)),
    ],
)
def test_declared_there_as_well(converge: Converge, old: str, new: str, below: str) -> None:
    converge(old + below, new + below)


@pytest.mark.parametrize(
    "new",
    [(PARENT + CHILD + GRANDCHILD).format(1, 1), BARE + CHILD + "CREATE TABLE grandpart () INHERITS (part);"],
)
def test_declared_further_down(converge: Converge, new: str) -> None:
    converge((PARENT + CHILD + GRANDCHILD).format(0, 0), new)


def test_stays_declared_where_nothing_can_take_that_back() -> None:
    kind = registry()["constraint"]
    old, new = (
        Object(CHECK, "constraint", "whole.c", "public", "c", {"declared": d, "valid": True})
        for d in (True, False)
    )
    assert kind.beyond(old, new) == {"declared": "whole.c stays both inherited and declared there"}
    assert kind.beyond(new, old) == {}
