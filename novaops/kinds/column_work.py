"""What ALTER TABLE does with the rows for a column; not a kind itself.

The rules are those of ATColumnChangeRequiresRewrite() and ATExecAddColumn() in
src/backend/commands/tablecmds.c; a test holds them against what the server does.
"""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.kinds.kind import Scene
from novaops.kinds.type_change import castable
from novaops.kinds.work import Work, rewrite, scan

# Types whose longer form stores the same (the support functions of their length casts, pg_proc.prosupport).
GROWING = {
    "character varying", "bit varying", "time without time zone", "time with time zone",
    "timestamp without time zone", "timestamp with time zone", "interval",
}  # fmt: skip
FINEST = 6
"""Digits of a second that times without a modifier have (documentation, "Date/Time Types")."""
NUMERIC_SCALE = 0x7FF
"""The bits of a modifier of numeric that hold the scale (numeric.c)."""


def added(column: Object, scene: Scene) -> tuple[Work, ...]:
    """For ADD COLUMN: a value that is the same for all rows is kept in the catalog instead (`attmissingval`)."""
    if column["_view"] or column["_foreign"]:
        return ()
    inside = scene.desired.children.get(column.address, ())
    computed = column["generated"] == "s" or column["identity_options"] is not None
    computed = computed or any(child.facts.get("volatile") for child in inside)
    return (rewrite(column["_relation"]),) if computed or _checked_by_domain(column, scene) else ()


def retyped(old: Object, new: Object, scene: Scene) -> tuple[Work, ...]:
    """For ALTER COLUMN TYPE, with the USING that goes with it."""
    if new["_foreign"]:
        return ()
    if stored_otherwise(old, new, scene):
        return (rewrite(new["_relation"]),)
    return (scan(new["_relation"]),) if _looked_at_again(old, new, scene) else ()


def stored_otherwise(old: Object, new: Object, scene: Scene) -> bool:
    """Whether the values are computed anew, row by row."""
    if old["type"] == new["type"]:
        # Of a type that is made anew they go by their text; another collation changes none.
        return old["collation"] == new["collation"] or _type_is_remade(new, scene)
    if not castable(old, new) or _checked_by_domain(new, scene):
        return True
    before, after = old["_base_type"], new["_base_type"]
    width, room = old["_type_modifier"], new["_type_modifier"]
    if before != after:
        return room is not None or after not in (old["_same_bytes"] or "").split("\n")
    if room is None or room == width:
        return False
    if before == "numeric":
        return width is None or not _more_digits(width, room)
    return before not in GROWING or not _longer(before, width, room)


def _longer(base_type: str, width: int | None, room: int) -> bool:
    if base_type == "interval":
        return False  # its modifier holds fields as well
    if "time" in base_type and width is None:
        return room >= FINEST
    return width is not None and room >= width


def _more_digits(width: int, room: int) -> bool:
    same_scale = (width - 4) & NUMERIC_SCALE == (room - 4) & NUMERIC_SCALE
    return same_scale and room >= width


def _checked_by_domain(column: Object, scene: Scene) -> bool:
    """Whether its type is a domain that refuses values, so that each one is looked at."""
    if column["_type_type"] != "d":
        return False
    edges = scene.desired.dependencies.get(column.address, ())
    domains = [o for e in edges if (o := scene.desired[e.referenced]).identity == column["type"]]
    return any(o["not_null"] or scene.desired.children.get(o.address) for o in domains) or not domains


def _type_is_remade(column: Object, scene: Scene) -> bool:
    edges = scene.desired.dependencies.get(column.address, ())
    return any(e.referenced in scene.replaced and e.referenced.type == "type" for e in edges)


def _looked_at_again(old: Object, new: Object, scene: Scene) -> bool:
    """Whether constraints that stay are checked again, or indexes made again for another collation."""
    for edge in scene.live.dependents.get(old.address, ()):
        dependent = scene.live[edge.dependent]
        if scene.drops(dependent.address):
            continue
        if dependent.attributes.get("type") == "c" and dependent.attributes.get("validated"):
            return True
        if old["collation"] != new["collation"] and dependent.address.type == "index":
            return True
    return False
