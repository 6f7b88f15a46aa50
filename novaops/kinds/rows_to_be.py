"""The rows of a table as a plan will leave them, as a query on those that are there; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.kinds.kind import Scene
from novaops.kinds.levels import filling_default
from novaops.kinds.type_change import lossless, using


def added_columns(obj: Object, relation: Object, scene: Scene) -> list[Object]:
    """Columns that the object is about and that the plan adds to the relation."""
    return [column for column in _columns(obj, relation, scene) if scene.creates(column.address)]


def converted(column: Object, scene: Scene) -> str | None:
    """The value that the column will have, where it gets a type that not all values fit; None where it stays.

    Not told of a type that the plan makes: no query can name it yet.
    """
    old = scene.live.objects.get(column.address)
    if old is None or scene.creates(column.address) or column["generated"] or column["_foreign"]:
        return None
    if old["type"] == column["type"] or lossless(old, column):
        return None
    edges = scene.desired.dependencies.get(column.address, ())
    if any(edge.referenced.type == "type" and scene.creates(edge.referenced) for edge in edges):
        return None
    return using(old, column, scene)


def with_changed_columns(
    obj: Object, relation: Object, rows: str, scene: Scene, *, converts: bool = True
) -> str | None:
    """`rows` (the relation, maybe with ONLY), or a query for them with the columns that the plan adds or converts.

    None where their values are not known: those of volatile defaults and sequences differ from row to row.
    """
    columns = _columns(obj, relation, scene)
    there = [] if converts else [column for column in columns if not scene.creates(column.address)]
    changed = [column for column in columns if column not in there]
    if not any(scene.creates(column.address) or converted(column, scene) for column in changed):
        return rows
    values = [c["_quoted"] if c in there else value_to_be(c, scene) for c in columns]
    if None in values:
        return None
    listed = ", ".join(f"{value} AS {c['_quoted']}" for value, c in zip(values, columns, strict=True))
    return f"(SELECT {listed} FROM {rows})"


def _columns(obj: Object, relation: Object, scene: Scene) -> list[Object]:
    edges = scene.desired.dependencies.get(obj.address, ())
    needed = dict.fromkeys(edge.referenced for edge in edges)
    inside = [a for a in needed if a.type == "table column" and a.names[:2] == relation.address.names]
    return [scene.desired[address] for address in inside]


def value_to_be(column: Object, scene: Scene) -> str | None:
    """What the rows that are there will have in the column, as an expression; None where nobody knows."""
    if not scene.creates(column.address):
        return converted(column, scene) or str(column["_quoted"])
    if column["identity_options"] is not None or column["_type_type"] == "d":
        return None
    if column["generated"]:
        needed = (e.referenced for e in scene.desired.dependencies.get(column.address, ()))
        of_others = any(a.type == column.address.type and scene.creates(a) for a in needed)
        return None if of_others else f"({column['generation_expression']})::{column['type']}"
    default = filling_default(column, scene)
    if default is None:
        return f"NULL::{column['type']}"
    return None if default["_volatile"] else f"({default['expression']})::{column['type']}"
