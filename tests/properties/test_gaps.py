"""For all plans: nothing that is there before and afterwards is missing at a commit, unless a gap names it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.integration.convergence.gaps import ROOM, planned
from tests.properties.shared_schema import ROWS, state, states


@given(old=states(), new=states(), room=st.sampled_from([ROOM, 10, 40]))
def test_nothing_is_missing_at_a_commit(
    new_database: Callable[..., str], old: dict[str, str], new: dict[str, str], room: int
) -> None:
    made = planned(new_database("gaps"), new_database("gaps"), state(old) + ROWS, state(new), room)
    with made.connection:
        assert made.missing() == []
        assert made.left() == []
    assert made.draft.gaps == ()
