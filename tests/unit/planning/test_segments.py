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
    "a": Placement.ALONE,
    "o": Placement.APART,
}


@pytest.mark.parametrize(
    ("placements", "numbers"),
    [
        ("", []),
        ("ttt", [1, 1, 1]),
        ("tat", [1, None, 2]),
        ("aat", [None, None, 1]),
        ("toat", [1, 2, None, 3]),
        ("toot", [1, 2, 3, 4]),
    ],
)
def test_transactions(placements: str, numbers: list[int | None]) -> None:
    box = made("box", "b")
    written = [Written(Step("x", placement=LETTERS[p]), box, "alter") for p in placements]
    assert transactions([written], room=10).numbers == tuple(numbers)
    assert transactions([[w] for w in written], room=10).numbers == tuple(numbers)


def units(*locks: tuple[int, ...]) -> list[list[Written]]:
    box = made("box", "b")
    return [[Written(Step("x"), box, "alter", each) for each in unit] for unit in locks]


def test_a_transaction_ends_before_the_lock_table_is_full() -> None:
    assert transactions(units((4,), (6,), (1,), (30,), (5,), (5,)), room=10) == Transactions(
        (1, 1, 2, 3, 4, 4), full=3
    )


def test_but_not_within_a_unit() -> None:
    assert transactions(units((4,), (4, 6), (1,), (6, 6, 6), (1,)), room=10) == Transactions(
        (1, 2, 2, 3, 4, 4, 4, 5), full=4
    )


def test_commits_for_other_reasons_are_not_counted_as_full() -> None:
    box = made("box", "b")
    steps = [Step("x", placement=p) for p in (Placement.APART, Placement.TRANSACTION, Placement.APART)]
    assert transactions([[Written(s, box, "alter", 9)] for s in steps], room=10).full == 0
