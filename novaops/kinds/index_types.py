"""Whether an index follows its columns to another type; not a kind itself.

ALTER COLUMN TYPE builds the indexes of the column again by their definitions (RememberIndexForRebuilding() in
src/backend/commands/tablecmds.c). That fails where the definition has no meaning for the new type: an operator
class, an expression or a predicate.
"""

from __future__ import annotations

from collections.abc import Iterator

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.kind import Scene

UNORDERED = frozenset(
    {"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "refcursor", "jsonpath"}
)
"""Types of the system without a default operator class for btree (pg_opclass.dat)."""


def goes_before(index: Object, scene: Scene) -> list[Address]:
    """Columns that change their type and that the index cannot follow: it is dropped before them.

    Empty where the plan leaves the index as it is: PostgreSQL has accepted the same definition for the new types.
    """
    if index.address not in scene.live or not scene.drops(index.address):
        return []
    return list(_left(scene.live[index.address], scene))


def _left(index: Object, scene: Scene) -> Iterator[Address]:
    bound = index.facts.get("bound_columns") or ()
    for edge in scene.live.dependencies.get(index.address, ()):
        old, new = (side.objects.get(edge.referenced) for side in (scene.live, scene.desired))
        if old is None or new is None or old.kind != new.kind or edge.referenced.type != "table column":
            continue
        unordered = new["_base_type"] is not None and new["_base_type"].removesuffix("[]") in UNORDERED
        if old["type"] != new["type"] and (old.name in bound or unordered):
            yield edge.referenced
