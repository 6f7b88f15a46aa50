"""Transactions: as few as PostgreSQL allows."""

from __future__ import annotations

import pytest

from novaops.kinds.kind import Placement, Step
from novaops.planning.segments import Transactions, transactions
from novaops.planning.statements import Written
from tests.unit.planning.made_up import made

pytestmark = pytest.mark.usefixtures("kinds")

LETTERS = {
    "t": Placement.TRANSACTION,
    "c": Placement.COMMIT_AFTER,
    "a": Placement.ALONE,
    "o": Placement.APART,
}


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
        ("toot", [1, 2, 3, 4]),
    ],
)
def test_transactions(placements: str, numbers: list[int | None]) -> None:
    box = made("box", "b")
    written = [Written(Step("x", placement=LETTERS[p]), box, "alter") for p in placements]
    assert transactions(written, room=10).numbers == tuple(numbers)


def test_a_transaction_ends_before_the_lock_table_is_full() -> None:
    box = made("box", "b")
    written = [Written(Step("x"), box, "alter", locks) for locks in (4, 6, 1, 30, 5, 5)]
    assert transactions(written, room=10) == Transactions((1, 1, 2, 3, 4, 4), full=3)


def test_commits_for_other_reasons_are_not_counted_as_full() -> None:
    box = made("box", "b")
    steps = [Step("x", placement=p) for p in (Placement.COMMIT_AFTER, Placement.TRANSACTION, Placement.APART)]
    assert transactions([Written(s, box, "alter", 9) for s in steps], room=10).full == 0
