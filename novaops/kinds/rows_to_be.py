"""The rows of a table as a plan will leave them, as a query on those that are there; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.kinds.kind import Scene
from novaops.kinds.levels import filling_default
from novaops.kinds.type_change import lossless, using


def is_new(column: Object, scene: Scene) -> bool:
    """Whether the rows that are there have no value of the column yet.

    A table that is rebuilt with its rows brings the values of its columns along (`moved_rows.fill`).
    """
    if not scene.creates(column.address):
        return False
    return column.parent not in scene.moved or column.address not in scene.live or bool(column["generated"])


def added_columns(obj: Object, relation: Object, scene: Scene) -> list[Object]:
    """Columns that the object is about and that the rows of the relation have no value of yet."""
    return [column for column in _columns(obj, relation, scene) if is_new(column, scene)]


def converted(column: Object, scene: Scene) -> str | None:
    """The value that the column will have, where it gets a type that not all values fit; None where it stays.

    Not told of a type that the plan makes: no query can name it yet.
    """
    old = scene.live.objects.get(column.address)
    if old is None or is_new(column, scene) or column["generated"] or column["_foreign"]:
        return None
    if old["type"] == column["type"] or lossless(old, column):
        return None
    edges = scene.desired.dependencies.get(column.address, ())
    if any(edge.referenced.type == "type" and scene.creates(edge.referenced) for edge in edges):
        return None
    return using(old, column, scene)


def columns_to_be(
    obj: Object, relation: Object, scene: Scene, *, converts: bool = True
) -> list[tuple[str, str]] | None:
    """Return (value, name) of the columns that the object is about; an empty list where all of them stay as they are.

    None where a value is not known: those of volatile defaults and sequences differ from row to row.
    """
    columns = _columns(obj, relation, scene)
    there = [] if converts else [column for column in columns if not is_new(column, scene)]
    changed = [column for column in columns if column not in there]
    if not any(is_new(column, scene) or converted(column, scene) for column in changed):
        return []
    values = [(c["_quoted"] if c in there else value_to_be(c, scene), c["_quoted"]) for c in columns]
    return None if any(value is None for value, _ in values) else [(str(v), name) for v, name in values]


def with_changed_columns(
    obj: Object, relation: Object, rows: str, scene: Scene, *, converts: bool = True
) -> str | None:
    """`rows` (the relation, maybe with ONLY), or a query for them with the columns that the plan adds or converts.

    None where their values are not known.
    """
    columns = columns_to_be(obj, relation, scene, converts=converts)
    if not columns:
        return None if columns is None else rows
    return f"(SELECT {', '.join(f'{value} AS {name}' for value, name in columns)} FROM {rows})"


def _columns(obj: Object, relation: Object, scene: Scene) -> list[Object]:
    edges = scene.desired.dependencies.get(obj.address, ())
    needed = dict.fromkeys(edge.referenced for edge in edges)
    inside = [a for a in needed if a.type == "table column" and a.names[:2] == relation.address.names]
    return [scene.desired[address] for address in inside]


def value_to_be(column: Object, scene: Scene) -> str | None:
    """What the rows that are there will have in the column, as an expression; None where nobody knows."""
    if not is_new(column, scene):
        return converted(column, scene) or str(column["_quoted"])
    if column["identity_options"] is not None or column["_type_type"] == "d":
        return None
    if column["generated"]:
        needed = (e.referenced for e in scene.desired.dependencies.get(column.address, ()))
        inputs = [scene.desired[a] for a in needed if a.type == column.address.type]
        of_others = any(is_new(o, scene) or converted(o, scene) for o in inputs)
        return None if of_others else f"({column['generation_expression']})::{column['type']}"
    default = filling_default(column, scene)
    if default is None:
        return f"NULL::{column['type']}"
    return None if default["_volatile"] else f"({default['expression']})::{column['type']}"
