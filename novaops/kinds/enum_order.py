"""Enums whose labels get another order, which decides every comparison; not a kind itself."""

from __future__ import annotations

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.kind import Scene


def reordered(old: Object, new: Object) -> bool:
    """Whether labels that stay compare in another way."""
    before, after = old["labels"], new["labels"]
    return [label for label in before if label in after] != [label for label in after if label in before]


def compares_reordered(obj: Object, scene: Scene) -> bool:
    """Whether the object, which the plan makes, depends on such an enum, or on a column that has one.

    What it says about the rows that are there can only be told by the enum that is to be.
    """
    needed = {edge.referenced for edge in scene.desired.dependencies.get(obj.address, ())}
    needed |= {
        edge.referenced
        for address in needed
        if address.type == "table column"
        for edge in scene.desired.dependencies.get(address, ())
    }
    return any(_made_anew(address, scene) for address in needed & scene.replaced)


def _made_anew(address: Address, scene: Scene) -> bool:
    old, new = scene.live.objects.get(address), scene.desired.objects.get(address)
    return old is not None and new is not None and old.kind == new.kind == "enum" and reordered(old, new)
