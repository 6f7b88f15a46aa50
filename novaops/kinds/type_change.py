"""How the values of a column get from one type to another; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
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
# Types, other than those above, whose values another type reads from their text as an assignment would make them.
READ_ALIKE = {
    "smallint": TEXTS, "integer": TEXTS, "bigint": TEXTS, "uuid": TEXTS,
    "json": {"jsonb", *TEXTS}, "jsonb": {"json", *TEXTS},
}  # fmt: skip
LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
NUMBERS = {*LARGEST, "numeric", "real", "double precision"}
# Types whose modifier is a length or a precision that may grow.
LENGTHS = {
    "character varying", "character", "bit varying", "time without time zone", "time with time zone",
    "timestamp without time zone", "timestamp with time zone",
}  # fmt: skip

CHANGED = "would be changed"
REWRITTEN = "would be written otherwise: jsonb keeps no white space, no order of keys and one of equal keys"


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


def readable(old: Object, new: Object) -> bool:
    """Whether the text of every value of the type is read as the value that the change makes of it.

    Not so from real to double precision: 0.1 is cast to 0.10000000149011612, and read as 0.1; nor from boolean to
    text: true is cast to 'true', and written as 't'.
    """
    if old["type"] == new["type"]:
        return True
    before, after = old["_base_type"], new["_base_type"]
    if "d" in (old["_type_type"], new["_type_type"]) or (before, after) == ("real", "double precision"):
        return False
    if new["_type_modifier"] is None and after in READ_ALIKE.get(before, ()):
        return True
    return lossless(old, new)


def narrowing(old: Object, new: Object) -> Risk | None:
    """Values that are others after the change and back."""
    if lossless(old, new):
        return None
    column, table = old["_quoted"], old["_relation"]
    there = f"{column}::{new['type']}" if castable(old, new) else f"{column}::text::{new['type']}"
    back = f"({there})::{old['type']}" if castable(new, old) else f"({there})::text::{old['type']}"
    differs = distinct(back, column, old["_has_equality"], old["collation"])
    if refused := refused_by_cast(old, new):
        differs = f"CASE WHEN {refused} THEN false ELSE {differs} END"
    rewritten = (old["_base_type"], new["_base_type"]) == ("json", "jsonb")
    return Risk(
        "narrowing",
        old.identity,
        "values",
        f"SELECT EXISTS (SELECT FROM {table} WHERE {differs})",
        f"SELECT count(*) FILTER (WHERE {differs}), count(*) FROM {table}",
        lock=table,
        query=f"SELECT * FROM {table} WHERE {differs}",
        says=REWRITTEN if rewritten else CHANGED,
    )


def distinct(one: str, other: str, has_equality: bool, collation: str | None) -> str:
    """Condition: two values of a type are not equal, by its own operator where it has one, or else by their text.

    `collation` is that of the column where it is not that of the type: converted values would have another one, and texts
    of two collations cannot be compared.

    numeric writes 0.01 and 0.0100, which are equal. Within a row the operator is that of the type's operator class (record_eq() in
    src/backend/utils/adt/rowtypes.c), whatever the search_path; an array of rows makes a row of one column.
    """
    if collation is not None:
        one, other = (f"({value} COLLATE {collation})" for value in (one, other))
    if has_equality:
        return f"ARRAY[ROW({one})] IS DISTINCT FROM ARRAY[ROW({other})]"
    return f"({one})::text IS DISTINCT FROM ({other})::text"


def refused_by_cast(old: Object, new: Object) -> str | None:
    """Condition: the cast of a column's value to its new type fails; None where only the cast can tell."""
    if not castable(old, new):
        return None
    before, after = (o["_base_type"].removesuffix("[]") for o in (old, new))
    room = new["_type_modifier"]
    value = "item" if new["_type_category"] == "A" else new["_quoted"]
    if before not in NUMBERS:
        return None
    if after in LARGEST:
        beyond = f"pg_catalog.round({value}::numeric) NOT BETWEEN {-LARGEST[after] - 1} AND {LARGEST[after]}"
    elif after == "numeric" and room is not None:
        precision, scale = _numeric(room)
        most = f"'1e{precision - scale}'::numeric"
        beyond = f"{value}::numeric <> 'NaN' AND pg_catalog.abs(pg_catalog.round({value}::numeric, {scale})) >= {most}"
    else:
        return None
    if value == "item":
        return f"EXISTS (SELECT FROM pg_catalog.unnest({new['_quoted']}) AS item WHERE {beyond})"
    return f"({beyond})"


def unread(text: str, type_: str, version: int) -> str | None:
    """Condition: the type does not read the text; None where the server cannot tell, or the plan has yet to make the type."""
    if type_ in TEXTS:
        return "false"
    if version < 160000:
        return None
    return f"NOT pg_catalog.pg_input_is_valid({text}, {quote_literal(type_)})"


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
