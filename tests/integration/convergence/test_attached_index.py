"""ATTACH PARTITION attaches the first index that fits, which must be the one that the files attach."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

WHOLE = "CREATE TABLE whole (a int, b int) PARTITION BY LIST (a); CREATE INDEX whole_idx ON whole (b);"
ATTACH = "ALTER TABLE whole ATTACH PARTITION part FOR VALUES IN (1);"
PART = "CREATE TABLE part (a int, b int);"
OWN = "CREATE INDEX mine ON part (b); COMMENT ON INDEX mine IS 'mine';"


@pytest.mark.parametrize("old", [WHOLE, WHOLE + PART, WHOLE + PART + OWN, WHOLE + PART + ATTACH])
def test_equal_index_stays_its_own(converge: Converge, old: str) -> None:
    converge(old, WHOLE + PART + ATTACH + OWN)


def test_other_index_is_left_alone(converge: Converge) -> None:
    other = "CREATE INDEX other ON part (a, b);"
    statements = converge(WHOLE + PART + other, WHOLE + PART + other + ATTACH)
    assert not any("other" in sql for sql in statements)
