"""No commit falls between a drop and the creation that follows, or the draft has a gap there."""

from __future__ import annotations

import pytest

from novaops.planning.draft import Draft
from tests.unit.planning.made_up import drafted, made, snapshot, sql

pytestmark = pytest.mark.usefixtures("kinds")


def named(draft: Draft) -> list[tuple[str, int, int]]:
    return [(gap.object.identity, gap.taken, gap.given) for gap in draft.gaps]


def test_a_drop_outside_of_a_transaction_leaves_a_gap() -> None:
    before, after = made("sealed", "s"), made("sealed", "s", shape="round")
    draft = drafted(snapshot(before), snapshot(after))
    assert sql(draft) == ["DROP BOX s", "CREATE BOX s ()"]
    assert named(draft) == [("s", 0, 1)]


def test_so_it_is_for_what_is_rebuilt_around_it() -> None:
    before, after, lid = made("sealed", "s"), made("sealed", "s", shape="round"), made("lid", "l")
    draft = drafted(snapshot(before, lid, needs=[(lid, before)]), snapshot(after, lid, needs=[(lid, after)]))
    assert sql(draft) == ["DROP LID l", "DROP BOX s", "CREATE BOX s ()", "CREATE LID l"]
    assert sorted(named(draft)) == [("l", 0, 3), ("s", 1, 2)]


def test_what_takes_the_name_takes_the_place() -> None:
    draft = drafted(snapshot(made("sealed", "s")), snapshot(made("lid", "s")))
    assert sql(draft) == ["DROP BOX s", "CREATE LID s"]
    assert named(draft) == [("s", 0, 1)]


def test_what_goes_for_good_leaves_none() -> None:
    assert named(drafted(snapshot(made("sealed", "s")), snapshot(made("lid", "l")))) == []


def test_what_commits_by_itself_does_not_divide_another_rebuild() -> None:
    """By rank and name the drop of the sealed box comes between the statements of the other one."""
    box, lid, gone = made("box", "z", size=1), made("lid", "l"), made("sealed", "s")
    grown = made("box", "z", size=2)
    draft = drafted(snapshot(box, lid, gone, needs=[(lid, box)]), snapshot(grown, lid, needs=[(lid, grown)]))
    assert sorted(sql(draft)) == ["ALTER BOX z SIZE 2", "CREATE LID l", "DROP BOX s", "DROP LID l"]
    assert named(draft) == []


def test_a_label_is_committed_before_anything_is_dropped() -> None:
    box, lid = made("box", "a", size=1), made("lid", "l")
    grown = made("box", "a", size=2, label="x")
    draft = drafted(snapshot(box, lid, needs=[(lid, box)]), snapshot(grown, lid, needs=[(lid, grown)]))
    assert sql(draft) == ["ALTER BOX a LABEL", "DROP LID l", "ALTER BOX a SIZE 2", "CREATE LID l"]
    assert draft.numbers == (1, 2, 2, 2)
