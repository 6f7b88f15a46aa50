"""Texts that a column's new type does not read, as queries on the live data; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.obstacles import refusal
from novaops.kinds.type_change import castable


def unreadable(column: Object, scene: Scene) -> list[Risk]:
    """For a column whose values the input function of its new type is to read from their text."""
    old = scene.live[column.address]
    if old["type"] == column["type"] or column["generated"] or column["_foreign"]:
        return []
    if castable(old, column) and not _read_from_string(old, column):
        return []
    text = f"{column['_quoted']}::text"
    labels = _labels(column, scene)
    if labels is not None:
        listed = ", ".join(map(quote_literal, labels))
        refused = f"{text} NOT IN ({listed})" if labels else f"{text} IS NOT NULL"
    elif scene.version >= 160000 and _told_by_server(column):
        refused = f"NOT pg_catalog.pg_input_is_valid({text}, {quote_literal(column['_base_type'])})"
    else:
        return []
    source = f"FROM {column['_relation']} WHERE {refused}"
    return [refusal("check", column.identity, f"would not fit {column['type']}", source)]


def _read_from_string(old: Object, new: Object) -> bool:
    """Whether the cast is from a string, by the input function (documentation, CREATE CAST, Notes)."""
    strings = old["_type_category"] == "S", new["_type_category"] == "S"
    return strings == (True, False) and new["_base_type"] not in (old["_casts"] or "").split("\n")


def _labels(column: Object, scene: Scene) -> tuple[str, ...] | None:
    """The labels of the enum that is to be the column's type: it may not exist yet, or have others."""
    edges = scene.desired.dependencies.get(column.address, ())
    types = (scene.desired.objects.get(edge.referenced) for edge in edges)
    found = [o for o in types if o is not None and o.kind == "enum" and o.identity == column["type"]]
    return tuple(found[0]["labels"]) if found else None


def _told_by_server(column: Object) -> bool:
    """Not where the plan may change what the type reads, or its name implies a length (`bit`)."""
    return column["_type_type"] == "b" and column["_type_category"] not in ("A", "V")
