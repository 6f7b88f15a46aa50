"""Transactions: as few as PostgreSQL allows."""

from __future__ import annotations

import pytest

from novaops.kinds.kind import Placement, Step
from novaops.planning.segments import transactions
from novaops.planning.statements import Written
from tests.unit.planning.made_up import made

LETTERS = {"t": Placement.TRANSACTION, "c": Placement.COMMIT_AFTER, "a": Placement.ALONE}


@pytest.mark.parametrize(
    ("placements", "numbers"),
    [
        ("", []),
        ("ttt", [1, 1, 1]),
        ("tct", [1, 1, 2]),
        ("cc", [1, 2]),
        ("tat", [1, None, 2]),
        ("aat", [None, None, 1]),
        ("tcat", [1, 1, None, 2]),
    ],
)
def test_transactions(placements: str, numbers: list[int | None]) -> None:
    box = made("box", "b")
    written = [Written(Step("x", placement=LETTERS[p]), box, "alter") for p in placements]
    assert transactions(written) == numbers
