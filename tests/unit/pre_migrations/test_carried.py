"""What changed on a copy is carried over to the original, and nothing else of the copy is."""

from __future__ import annotations

from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.catalog.snapshot import Edge, Snapshot
from novaops.execution.pre_migrations.carried import carried

T, U, V = (Address("table", ("public", name)) for name in "tuv")
READ, WRITE, DROP = (Privilege("somebody", word) for word in ("SELECT", "UPDATE", "TRUNCATE"))


def table(address: Address, owner: str = "copier", **attributes: object) -> Object:
    name = address.names[-1]
    return Object(address, "table", f"public.{name}", "public", name, attributes, owner=owner)


def snapshot(*objects: Object, role: str = "copier", edges: tuple[Edge, ...] = ()) -> Snapshot:
    return Snapshot({o.address: o for o in objects}, edges, role=role)


def live(*objects: Object, **more: object) -> Snapshot:
    return snapshot(*objects, role="applier", **more)


def test_nothing_changed_leaves_the_original() -> None:
    original = live(table(T, "alice", options="fillfactor=70"), table(U))
    copy = snapshot(table(T, options=None))  # it differs, and lacks an object
    assert carried(original, copy, copy) == original


def test_an_attribute_that_changed_is_taken_and_the_others_stay() -> None:
    original = live(table(T, "alice", a=1, b=1))
    merged = carried(original, snapshot(table(T, a=7, b=7)), snapshot(table(T, a=7, b=8)))
    assert merged[T] == table(T, "alice", a=1, b=8)


def test_what_was_dropped_is_gone_and_what_was_made_is_the_appliers() -> None:
    original = live(table(T, "alice"), table(U, "alice"))
    merged = carried(original, snapshot(table(T), table(U)), snapshot(table(U), table(V)))
    assert {o.address: o.owner for o in merged} == {U: "alice", V: "applier"}


def test_an_owner_that_was_given_is_kept() -> None:
    merged = carried(live(), snapshot(), snapshot(table(V, "bob")))
    assert merged[V].owner == "bob"


def test_privileges_are_added_and_removed_one_by_one() -> None:
    def having(*privileges: Privilege) -> Object:
        return replace(table(T), privileges=frozenset(privileges))

    merged = carried(live(having(READ, DROP)), snapshot(having(READ)), snapshot(having(WRITE)))
    assert merged[T].privileges == {WRITE, DROP}


def test_dependencies_are_carried_too() -> None:
    one, two, three = (Edge(a, b, frozenset("n")) for a, b in ((T, U), (U, V), (T, V)))
    objects = [table(a) for a in (T, U, V)]
    merged = carried(
        live(*objects, edges=(one, two)), snapshot(*objects, edges=(one,)), snapshot(*objects, edges=(three,))
    )
    assert merged.edges == (two, three)
