"""Order: what is written where, and how cycles are taken apart."""

from __future__ import annotations

import pytest

from novaops.errors import NovaopsError
from novaops.planning.changes import Alter, Replace
from novaops.planning.nodes import Act, Graph, Node
from novaops.planning.scope import Scope
from novaops.planning.topology import components
from tests.unit.planning.made_up import drafted, made, snapshot, sql

pytestmark = pytest.mark.usefixtures("kinds")
NOTHING = snapshot()


def test_contained_objects_are_written_inside() -> None:
    box = made("box", "b")
    assert sql(drafted(NOTHING, snapshot(box, made("item", "x", box), made("item", "y", box)))) == [
        "CREATE BOX b (x, y)"
    ]


def test_and_go_with_what_contains_them() -> None:
    box = made("box", "b")
    assert sql(drafted(snapshot(box, made("item", "x", box)), NOTHING)) == ["DROP BOX b"]


def test_what_is_needed_comes_first_whatever_its_name() -> None:
    a, b, c = made("lid", "a"), made("lid", "b"), made("lid", "c")
    there = snapshot(a, b, c, needs=[(a, b), (b, c)])
    assert sql(drafted(NOTHING, there)) == ["CREATE LID c", "CREATE LID b", "CREATE LID a"]
    assert sql(drafted(there, NOTHING)) == ["DROP LID a", "DROP LID b", "DROP LID c"]


def test_without_needs_the_order_is_by_rank_and_name() -> None:
    objects = [made("lid", "b"), made("box", "z"), made("lid", "a")]
    expected = ["CREATE BOX z ()", "CREATE LID a", "CREATE LID b"]
    assert sql(drafted(NOTHING, snapshot(*objects))) == expected
    assert sql(drafted(NOTHING, snapshot(*reversed(objects)))) == expected


def test_a_cycle_takes_contained_objects_out_again() -> None:
    """Two boxes with an item each that needs the other box: foreign keys."""
    a, b = made("box", "a"), made("box", "b")
    x, y, plain = made("item", "x", a), made("item", "y", b), made("item", "plain", a)
    there = snapshot(a, b, x, y, plain, needs=[(x, b), (y, a)])
    statements = sql(drafted(NOTHING, there))
    assert statements[0] == "CREATE BOX a (plain)"
    assert statements.index("CREATE BOX b ()") < statements.index("ALTER BOX a ADD x")
    assert sorted(statements[1:]) == ["ALTER BOX a ADD x", "ALTER BOX b ADD y", "CREATE BOX b ()"]
    statements = sql(drafted(there, NOTHING))
    assert sorted(statements[:2]) == ["ALTER BOX a DROP x", "ALTER BOX b DROP y"]
    assert sorted(statements[2:]) == ["DROP BOX a", "DROP BOX b"]


def test_an_item_that_needs_what_needs_its_box_comes_after_it() -> None:
    """A check that calls a function over the table's row type."""
    box, lid = made("box", "b"), made("lid", "f")
    check, plain = made("item", "check", box), made("item", "plain", box)
    there = snapshot(box, lid, check, plain, needs=[(lid, box), (check, lid)])
    assert sql(drafted(NOTHING, there)) == ["CREATE BOX b (plain)", "CREATE LID f", "ALTER BOX b ADD check"]
    assert sql(drafted(there, NOTHING)) == ["ALTER BOX b DROP check", "DROP LID f", "DROP BOX b"]


def test_a_cycle_of_whole_objects_begins_with_a_stub() -> None:
    a, b = made("lid", "a"), made("lid", "b")
    there = snapshot(a, b, needs=[(a, b), (b, a)])
    assert sql(drafted(NOTHING, there)) == ["STUB LID a", "CREATE LID b", "CREATE LID a"]
    assert drafted(NOTHING, there).scene.stubbed == {a.address}


def test_and_ends_with_a_hollow() -> None:
    a, b = made("lid", "a"), made("lid", "b")
    there = snapshot(a, b, needs=[(a, b), (b, a)])
    assert sql(drafted(there, NOTHING)) == ["HOLLOW LID a", "DROP LID b", "DROP LID a"]


def test_a_cycle_that_nothing_takes_apart_is_an_error() -> None:
    a, b = made("sticker", "a", text="t"), made("sticker", "b", text="t")
    with pytest.raises(NovaopsError, match="circle") as error:
        drafted(NOTHING, snapshot(a, b, needs=[(a, b), (b, a)]))
    assert "create sticker a" in str(error.value.detail)


def test_a_name_is_freed_before_it_is_used_again() -> None:
    assert sql(drafted(snapshot(made("lid", "n")), snapshot(made("box", "n")))) == [
        "DROP LID n",
        "CREATE BOX n ()",
    ]


def test_two_objects_exchange_their_names() -> None:
    live, desired = snapshot(made("box", "a"), made("lid", "b")), snapshot(made("lid", "a"), made("box", "b"))
    statements = sql(drafted(live, desired))
    assert statements.index("DROP BOX a") < statements.index("CREATE LID a")
    assert statements.index("DROP LID b") < statements.index("CREATE BOX b ()")


def test_what_is_no_longer_needed_is_released_before_it_is_dropped() -> None:
    lid = made("lid", "l")
    held, free = made("box", "b", holds="l"), made("box", "b")
    live = snapshot(held, lid, needs=[(held, lid)])
    assert sql(drafted(live, snapshot(free))) == ["ALTER BOX b EMPTY", "DROP LID l"]


def test_what_will_be_needed_is_made_before_it_is_held() -> None:
    old, new = made("lid", "old"), made("lid", "a_new")
    before, after = made("box", "b", holds="old"), made("box", "b", holds="a_new")
    live, desired = snapshot(before, old, needs=[(before, old)]), snapshot(after, new, needs=[(after, new)])
    statements = sql(drafted(live, desired))
    assert statements.index("ALTER BOX b EMPTY") < statements.index("DROP LID old")
    assert statements.index("CREATE LID a_new") < statements.index("ALTER BOX b HOLD a_new")


def test_what_is_in_the_way_is_rebuilt_around_the_change() -> None:
    small, big, lid = made("box", "b", size=1), made("box", "b", size=2), made("lid", "l", comment="on top")
    live, desired = (snapshot(box, lid, needs=[(lid, box)]) for box in (small, big))
    result = drafted(live, desired)
    assert sql(result) == ["DROP LID l", "ALTER BOX b SIZE 2", "CREATE LID l", "COMMENT ON LID l IS 'on top'"]
    assert result.changes[lid.address] == Replace(lid, lid, small.address)


def test_what_is_not_in_the_way_stays() -> None:
    before, after, lid = made("box", "b", label=1), made("box", "b", label=2), made("lid", "l")
    live, desired = (snapshot(box, lid, needs=[(lid, box)]) for box in (before, after))
    assert sql(drafted(live, desired)) == ["ALTER BOX b LABEL"]


def test_a_rebuild_reaches_what_depends_on_it_at_any_depth() -> None:
    square, round_ = made("box", "b"), made("box", "b", shape="round")
    lid, over = made("lid", "l"), made("lid", "over")
    live, desired = (snapshot(box, lid, over, needs=[(lid, box), (over, lid)]) for box in (square, round_))
    assert sql(drafted(live, desired)) == [
        "DROP LID over",
        "DROP LID l",
        "DROP BOX b",
        "CREATE BOX b ()",
        "CREATE LID l",
        "CREATE LID over",
    ]


def test_what_outlives_a_rebuild_is_set_again() -> None:
    square, round_ = made("swapped", "b"), made("swapped", "b", shape="round")
    sticker = made("sticker", "s", text="fragile")
    live, desired = (snapshot(box, sticker, needs=[(sticker, box)]) for box in (square, round_))
    result = drafted(live, desired)
    assert result.changes[sticker.address] == Alter(sticker, sticker, frozenset({"text"}))
    assert sql(result) == [
        "RENAME BOX b",
        "CREATE BOX b ()",
        "ALTER STICKER s TEXT fragile",
        "DROP SWAPPED old_b",
    ]


def test_an_unmanaged_dependant_is_broken_unless_it_may_be_rebuilt() -> None:
    small, big, lid = made("box", "b", size=1), made("box", "b", size=2), made("lid", "l", schema="other")
    live, desired = snapshot(small, lid, needs=[(lid, small)]), snapshot(big)
    scope = Scope(frozenset({"public"}))
    assert drafted(live, desired, scope).broken == {lid.address: small.address}
    agreed = drafted(live, desired, scope, consent=frozenset({lid.address}))
    assert agreed.broken == {}
    assert sql(agreed) == ["DROP LID l", "ALTER BOX b SIZE 2", "CREATE LID l"]


def test_a_commit_divides_transactions() -> None:
    before = [made("box", name, label=1) for name in "ab"]
    after = [made("box", name, label=2) for name in "ab"]
    result = drafted(snapshot(*before), snapshot(*after, made("lid", "z")))
    assert sql(result) == ["ALTER BOX a LABEL", "ALTER BOX b LABEL", "CREATE LID z"]
    assert result.numbers == (1, 2, 3)


def test_a_wish_does_not_make_a_cycle_nor_stay_one_when_it_is_a_need() -> None:
    first, then = (Node(Act.ALTER, made("box", name).address) for name in "ab")
    graph = Graph({first, then})
    graph.edge(first, then, weak=True)
    assert graph.weak == {(first, then)}
    graph.edge(first, then)
    assert graph.weak == set()
    graph.edge(first, then, weak=True)
    assert graph.weak == set()
    graph.edge(Node(Act.DROP, first.address), then)
    graph.edge(first, first)
    assert graph.after == {then: {first}}


def test_opposite_wishes_are_given_up() -> None:
    """Each box is to be altered after the other: both are all the same."""
    small = [made("box", name, label=1) for name in "ab"]
    big = [made("box", name, label=2) for name in "ab"]
    live, desired = (snapshot(a, b, needs=[(a, b), (b, a)]) for a, b in (small, big))
    assert sorted(sql(drafted(live, desired))) == ["ALTER BOX a LABEL", "ALTER BOX b LABEL"]


def test_components() -> None:
    a, b, c, d = (Node(Act.CREATE, made("box", name).address) for name in "abcd")
    found = components({a: {b}, b: {c}, c: {a}, d: {a}})
    assert sorted(map(len, found)) == [1, 3]
    assert {a, b, c} in found
