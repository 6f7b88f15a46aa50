"""Texts that a column's new type does not read, as queries on the live data; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.obstacles import refusal
from novaops.kinds.type_change import castable, lossless, refused_by_cast

# What every text of such a value looks like, by pg_type.typcategory (documentation, sections 8.10, 8.15.6, 8.16.6 and
# 8.17.5): where the type cannot be asked yet, most of what is something else is told by that.
SHAPES = {
    "A": r"^\s*(\[[^=]*\]=)?\{.*\}\s*$",
    "C": r"^\s*\(.*\)\s*$",
    "R": r"^\s*(\{.*\}|[[(].*[])]|[Ee][Mm][Pp][Tt][Yy])\s*$",
    "V": r"^([Bb]?[01]*|[Xx][0-9A-Fa-f]*)$",
}


def unreadable(column: Object, scene: Scene) -> list[Risk]:
    """For a column whose values the input function of its new type is to read from their text."""
    old = scene.live[column.address]
    same = old["type"] == column["type"] and old["_type_category"] == column["_type_category"]
    if same or column["generated"] or column["_foreign"]:
        return []
    if castable(old, column) and not _read_from_string(old, column):
        if lossless(old, column):
            return []
        refused = refused_by_cast(old, column)
        return [_refusal(column, refused)] if refused else _tried(column, "", column["type"], scene)
    text = f"{column['_quoted']}::text"
    labels = _labels(column, scene)
    if labels is not None:
        refused = _none_of(labels, text)
        if column["_type_category"] == "A":
            within = _none_of(labels, "label")
            refused = f"EXISTS (SELECT FROM pg_catalog.unnest({text}::text[]) AS label WHERE {within})"
    elif scene.version >= 160000 and _told_by_server(column):
        refused = f"NOT pg_catalog.pg_input_is_valid({text}, {quote_literal(column['_base_type'])})"
    elif column["_type_category"] in SHAPES:
        refused = f"{text} !~ {quote_literal(SHAPES[column['_type_category']])}"
    elif column["_type_type"] == "d":
        # Its constraints are looked at by themselves (`domain_obstacles.unfit`).
        return _tried(column, "::text", column["_base_type"], scene)
    else:
        return []
    return [_refusal(column, refused)]


def _tried(column: Object, text: str, type_: str, scene: Scene) -> list[Risk]:
    """For a cast that may refuse values: it is run on them, where the type is there."""
    edges = scene.desired.dependencies.get(column.address, ())
    if any(edge.referenced.type == "type" and scene.creates(edge.referenced) for edge in edges):
        return []
    exists = f"SELECT count({column['_quoted']}{text}::{type_}) < 0 FROM {column['_relation']}"
    says = f"would not fit {column['type']}"
    return [Risk("check", column.identity, "rows", exists, says=says, tries=True)]


def _refusal(column: Object, refused: str) -> Risk:
    source = f"FROM {column['_relation']} WHERE {refused}"
    return refusal("check", column.identity, f"would not fit {column['type']}", source)


def _read_from_string(old: Object, new: Object) -> bool:
    """Whether the cast is from a string, by the input function (documentation, CREATE CAST, Notes)."""
    strings = old["_type_category"] == "S", new["_type_category"] == "S"
    return strings == (True, False) and new["_base_type"] not in (old["_casts"] or "").split("\n")


def _none_of(labels: tuple[str, ...], text: str) -> str:
    listed = ", ".join(map(quote_literal, labels))
    return f"{text} NOT IN ({listed})" if labels else f"{text} IS NOT NULL"


def _labels(column: Object, scene: Scene) -> tuple[str, ...] | None:
    """The labels of the enum that the column's type is to be, or be made of: it may not exist yet, or have others."""
    desired, name = scene.desired, column["_base_type"].removesuffix("[]")
    needed = [edge.referenced for edge in desired.dependencies.get(column.address, ())]
    needed += [edge.referenced for domain in needed for edge in desired.dependencies.get(domain, ())]
    types = (desired.objects.get(address) for address in needed)
    found = [o for o in types if o is not None and o.kind == "enum" and o.identity == name]
    return tuple(found[0]["labels"]) if found else None


def _told_by_server(column: Object) -> bool:
    """Not where the plan may change what the type reads, or its name implies a length (`bit`)."""
    of_the_system = "." not in column["_base_type"] and column["_type_category"] == "A"
    return column["_type_type"] == "b" and (column["_type_category"] not in SHAPES or of_the_system)
