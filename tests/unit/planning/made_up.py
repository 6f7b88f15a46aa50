"""Objects of kinds that exist only here, so that a test says all there is to know about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.catalog.snapshot import Edge, Snapshot
from novaops.kinds.kind import Kind, Part, Phase, Placement, Scene, Step
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft, draft
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope

EVERYTHING = Scope(frozenset({"public"}), whole=True)


class Box(Kind):
    """Holds others; `size` can be altered, `shape` cannot, and "size" is refused by lids."""

    name = "box"
    types = ("box",)
    rank = 10
    acl_type = "r"
    owned = True
    data = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        inside = ", ".join(part.sql for part in parts)
        return [Step(f"CREATE BOX {obj.identity} ({inside})")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "shape" in changed:
            return None
        steps = []
        if "holds" in changed and old["holds"]:
            steps.append(Step(f"ALTER BOX {new.identity} EMPTY", phase=Phase.RELEASE))
        if "holds" in changed and new["holds"]:
            steps.append(Step(f"ALTER BOX {new.identity} HOLD {new['holds']}"))
        if "size" in changed:
            steps.append(Step(f"ALTER BOX {new.identity} SIZE {new['size']}", frozenset({"size"})))
        if "label" in changed:
            steps.append(
                Step(f"ALTER BOX {new.identity} LABEL", placement=Placement.APART, phase=Phase.PREPARE)
            )
        return steps

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("room", obj.name)]


class Item(Kind):
    """Written inside the box that holds it."""

    name = "item"
    types = ("item",)
    rank = 20
    joined = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"ALTER BOX {obj['_box']} ADD {obj.name}")]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        return obj.name

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [Step(f"ALTER BOX {obj['_box']} DROP {obj.name}")]


class Lid(Kind):
    """In the way of a change of size; shares the names of boxes."""

    name = "lid"
    types = ("lid",)
    rank = 30
    refuses = frozenset({"size"})

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE LID {obj.identity}")]

    def stub(self, obj: Object) -> list[Step] | None:
        return [Step(f"STUB LID {obj.identity}")]

    def hollow(self, obj: Object) -> list[Step] | None:
        return [Step(f"HOLLOW LID {obj.identity}")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("room", obj.name)]


class Sticker(Kind):
    """Outlives the rebuild of what it is on by being set again."""

    name = "sticker"
    types = ("sticker",)
    rank = 40

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE STICKER {obj.identity}")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return [Step(f"ALTER STICKER {new.identity} TEXT {new['text']}")]

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        return frozenset({"text"})


class Swapped(Box):
    """A box whose old one stays, under another name, until nothing needs it."""

    name = "swapped"
    types = ("swapped",)
    swap = True

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        return [Step(f"RENAME BOX {obj.identity}")], made("swapped", f"old_{obj.name}", shape="old")


class Sealed(Box):
    """A box that no transaction drops."""

    name = "sealed"
    types = ("sealed",)

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [Step(f"DROP BOX {obj.identity}", placement=Placement.ALONE)]


KINDS: Mapping[str, Kind] = {k.name: k for k in (Box(), Item(), Lid(), Sticker(), Swapped(), Sealed())}


def made(
    kind: str,
    name: str,
    parent: Object | None = None,
    *,
    schema: str | None = "public",
    comment: str | None = None,
    privileges: frozenset[Privilege] | None = None,
    owner: str | None = None,
    **attributes: Any,
) -> Object:
    """An object; with a parent its address and identity name that too."""
    names = (*parent.address.names, name) if parent else (name,)
    return Object(
        address=Address(kind, names),
        kind=kind,
        identity=".".join(names),
        schema=schema,
        name=name,
        attributes={"shape": "square", "holds": None, **attributes},
        facts={"box": parent.identity} if parent else {},
        parent=parent.address if parent else None,
        comment=comment,
        privileges=privileges,
        default_privileges=frozenset() if privileges is not None else None,
        owner=owner,
    )


def snapshot(
    *objects: Object, needs: Sequence[tuple[Object, Object] | tuple[Object, Object, str]] = ()
) -> Snapshot:
    """Objects and what needs what, of type "n" unless said otherwise."""
    edges = [Edge(a.address, b.address, frozenset(rest[0] if rest else "n")) for a, b, *rest in needs]
    edges += [Edge(o.address, o.parent, frozenset("c")) for o in objects if o.parent is not None]
    return Snapshot({o.address: o for o in objects}, tuple(edges), version=180000, role="me")


def drafted(
    live: Snapshot,
    desired: Snapshot,
    scope: Scope = EVERYTHING,
    mode: PrivilegeMode = PrivilegeMode.AUTO,
    consent: frozenset[Address] = frozenset(),
) -> Draft:
    return draft(live, desired, scope, Comparison(mode), consent)


def sql(made_draft: Draft) -> list[str]:
    return [written.step.sql for written in made_draft.written]
