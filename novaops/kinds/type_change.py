"""How the values of a column get from one type to another; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.kinds import registry
from novaops.kinds.kind import Risk, Scene

# Types that hold every value of those named, whatever their modifiers.
WIDER = {
    "smallint": {"integer", "bigint", "numeric", "real", "double precision"},
    "integer": {"bigint", "numeric", "double precision"},
    "bigint": {"numeric"},
    "real": {"double precision"},
    "date": {"timestamp without time zone"},
}
# What holds a moment rather than what a clock shows.
ZONED = {"timestamp with time zone", "time with time zone", "tstzrange", "tstzmultirange"}
TEXTS = {"text", "character varying"}
# Types whose modifier is a length or a precision that may grow.
LENGTHS = {
    "character varying", "character", "bit varying", "time without time zone", "time with time zone",
    "timestamp without time zone", "timestamp with time zone",
}  # fmt: skip


def using(old: Object, new: Object, scene: Scene) -> str | None:
    """Expression for the value in the new type; None where PostgreSQL needs none."""
    column, target = new["_quoted"], new["type"]
    if old["type"] == target:
        return _from_type_set_aside(new, scene)
    if lossless(old, new):
        return None
    if castable(old, new):
        return f"{column}::{target}"
    return f"{column}::text::{target}"


def lossless(old: Object, new: Object) -> bool:
    """Whether an assignment cast exists that keeps every value of the type."""
    before, after = old["_base_type"], new["_base_type"]
    width, room = old["_type_modifier"], new["_type_modifier"]
    if new["_type_type"] == "d":
        return False
    if before != after:
        free = room is None
        return free and (after in WIDER.get(before, ()) or (after in TEXTS and before in TEXTS))
    if room is None or room == width:
        return True
    if before == "numeric":
        return width is not None and _fits(width, room)
    return before in LENGTHS and width is not None and bool(room >= width)


def narrowing(old: Object, new: Object) -> Risk | None:
    """Values that are others after the change and back, told from their text: not all types have an `=`."""
    if lossless(old, new):
        return None
    column, table = old["_quoted"], old["_relation"]
    there = f"{column}::{new['type']}" if castable(old, new) else f"{column}::text::{new['type']}"
    back = f"({there})::{old['type']}" if castable(new, old) else f"({there})::text::{old['type']}"
    differs = f"({back})::text IS DISTINCT FROM {column}::text"
    return Risk(
        "narrowing",
        old.identity,
        "values",
        f"SELECT EXISTS (SELECT FROM {table} WHERE {differs})",
        f"SELECT count(*) FILTER (WHERE {differs}), count(*) FROM {table}",
        lock=table,
        query=f"SELECT * FROM {table} WHERE {differs}",
    )


def zoned(old: Object, new: Object, scene: Scene) -> Risk | None:
    """Values that become others under another TimeZone: what has a zone is made of what has none, or the other way.

    Text is among the latter: it is written and read in the session's zone (documentation, section 8.5.1.3).
    """
    before, after = (o["_base_type"].removesuffix("[]") for o in (old, new))
    if before == after or ZONED.isdisjoint((before, after)):
        return None
    column, table = old["_quoted"], old["_relation"]
    zone = f"the time zone {scene.time_zone}" if scene.time_zone else "the time zone of the session"
    return Risk(
        "behaviour",
        old.identity,
        "values",
        f"SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NOT NULL)",
        f"SELECT count({column}), count(*) FROM {table}",
        lock=table,
        says=f"would be {'read' if after in ZONED else 'written'} in {zone}",
    )


def _from_type_set_aside(new: Object, scene: Scene) -> str | None:
    column, edges = new["_quoted"], scene.desired.dependencies.get(new.address, ())
    remade = [scene.desired[e.referenced] for e in edges if e.referenced in scene.replaced]
    types = [made for made in remade if made.address.type == "type"]
    for made in types:
        if made.identity == new["type"]:
            return registry()[made.kind].conversion(scene.live[made.address], made, column)
    # Of another collation the values are the same.
    return f"{column}::text::{new['type']}" if types else None


def castable(old: Object, new: Object) -> bool:
    """Whether `::` works: by `pg_cast`, to or from a string, or element by element in an array."""
    before, after = old["_base_type"], new["_base_type"]
    if "S" in (old["_type_category"], new["_type_category"]):
        return True
    if (old["_type_category"] == "A") != (new["_type_category"] == "A"):
        return False
    if before == after and old["_type_category"] != new["_type_category"]:
        return False  # another type that takes its name
    before, after = before.removesuffix("[]"), after.removesuffix("[]")
    return before == after or after in (old["_casts"] or "").split("\n")


def _fits(old: int, new: int) -> bool:
    """Whether numeric(p, s) fits; the modifier holds ((p << 16) | (s & 0x7ff)) + 4 (numeric.c)."""
    precision, scale = _numeric(old)
    wide, deep = _numeric(new)
    return deep >= scale and wide - deep >= precision - scale


def _numeric(modifier: int) -> tuple[int, int]:
    bits = modifier - 4
    scale = bits & 0x7FF
    return bits >> 16 & 0xFFFF, scale - 0x800 if scale >= 0x400 else scale
