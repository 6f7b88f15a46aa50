"""What counts as a difference, and what a plan may drop."""

from __future__ import annotations

import pytest

from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.planning.changes import Alter, Create, Drop, Replace
from novaops.planning.diff import Comparison, compare, diff
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from tests.unit.planning.made_up import EVERYTHING, made, snapshot

pytestmark = pytest.mark.usefixtures("kinds")

OTHER = made("box", "o", schema="other")
NOWHERE = made("box", "n", schema=None)
MINE = made("box", "m")


def test_nothing_differs_from_itself() -> None:
    there = snapshot(MINE, OTHER, NOWHERE)
    assert diff(there, there, EVERYTHING, Comparison()) == {}


def test_facts_and_identity_are_not_compared() -> None:
    a, b = made("item", "x", MINE), made("item", "x", made("box", "m"))
    object.__setattr__(b, "facts", {"box": "elsewhere"})
    assert compare(a, b, Comparison()) is None


def test_each_aspect_is_told_apart() -> None:
    old = made("box", "b", size=1, owner="me")
    new = made("box", "b", size=2, extra=1, comment="c", owner="you")
    assert compare(old, new, Comparison()) == Alter(old, new, frozenset({"size", "extra"}), comment=True)
    managed = compare(old, new, Comparison(owners=True))
    assert isinstance(managed, Alter)
    assert managed.owner


def test_another_kind_at_the_same_address_is_a_replacement() -> None:
    old, new = made("box", "b"), made("box", "b")
    object.__setattr__(new, "kind", "lid")
    assert compare(old, new, Comparison()) == Replace(old, new)


@pytest.mark.parametrize(
    ("scope", "dropped"),
    [
        (Scope(frozenset({"public"})), [MINE]),
        (Scope(frozenset({"other"})), [OTHER]),
        (EVERYTHING, [MINE, NOWHERE, OTHER]),
    ],
    ids=["public", "other", "whole"],
)
def test_only_what_is_managed_is_dropped(scope: Scope, dropped: list[Object]) -> None:
    changes = diff(snapshot(MINE, OTHER, NOWHERE), snapshot(), scope, Comparison())
    assert list(changes.values()) == [Drop(o) for o in dropped]


def test_what_is_declared_is_created_everywhere() -> None:
    changes = diff(snapshot(), snapshot(MINE, OTHER, NOWHERE), Scope(frozenset({"public"})), Comparison())
    assert set(map(type, changes.values())) == {Create}
    assert len(changes) == 3


def test_what_lies_in_no_schema_goes_with_what_declares_it() -> None:
    item = made("item", "x", NOWHERE, schema=None)
    changes = diff(snapshot(NOWHERE, item), snapshot(NOWHERE), Scope(frozenset({"public"})), Comparison())
    assert list(changes.values()) == [Drop(item)]


def test_own_schemas_are_out_of_reach() -> None:
    own = made("box", "journal", schema="novaops")
    assert diff(snapshot(own), snapshot(), EVERYTHING, Comparison()) == {}
    assert diff(snapshot(), snapshot(own), EVERYTHING, Comparison()) == {}


def test_privileges_are_compared_as_the_mode_says() -> None:
    granted = frozenset({Privilege("you", "SELECT")})
    old, new = made("box", "b", privileges=granted), made("box", "b", privileges=frozenset())
    assert compare(old, new, Comparison(PrivilegeMode.AUTO)) is None
    change = compare(old, new, Comparison(PrivilegeMode.MANAGED))
    assert change == Alter(old, new, privileges=frozenset())
