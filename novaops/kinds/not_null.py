"""NOT NULL as a constraint (PostgreSQL 18), which is renamed where others are made anew; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.kinds.inheritance import detached, live
from novaops.kinds.kind import Scene, Step

NOT_NULL = "n"


def renamed(obj: Object, scene: Scene) -> Object | None:
    """The NOT NULL of the same column that goes by another name on the other side.

    A key on the column would forbid to drop it, and to add one would read the table.
    """
    column, other = obj.parent, scene.desired if live(obj, scene) else scene.live
    if obj["type"] != NOT_NULL or column is None or scene.drops(column) or scene.creates(column):
        return None
    for found in other.children.get(column, ()):
        same = all(found.attributes.get(name) == obj[name] for name in ("type", "validated", "no_inherit"))
        if same and found.address != obj.address:
            return found
    return None


def name_before(obj: Object, scene: Scene) -> str | None:
    """What the NOT NULL of the column is called, if it has one that becomes this."""
    if obj["type"] != NOT_NULL or obj.parent is None or scene.creates(obj.parent):
        return None
    column = scene.live[obj.parent]
    if not column["not_null"] and renamed(obj, scene) is None:
        return None
    name: str | None = column["_not_null_name"]
    return name


def let_go(obj: Object, name: str, scene: Scene) -> list[Step]:
    """Statements for a NOT NULL of the column, of that name, that it is to have for itself."""
    column = scene.live[obj.parent] if obj.parent else obj
    rename = _table(obj, f"RENAME CONSTRAINT {name} TO {obj['_quoted']}")
    steps = [] if name == obj["_quoted"] else [rename]
    if column["not_null"] and not column["not_null_besides"] and not detached(column, scene):
        # It went with the parent's, unless the table has left the parent, and then nothing happens here.
        steps.insert(0, _table(obj, f"ADD CONSTRAINT {name} NOT NULL {column['_quoted']}"))
    return steps


def stays(obj: Object, scene: Scene) -> bool:
    """Whether this NOT NULL is renamed, or merges with what the column comes to inherit."""
    column = scene.desired.objects.get(obj.parent) if obj["type"] == NOT_NULL and obj.parent else None
    return column is not None and (column["not_null"] or renamed(obj, scene) is not None)


def merged_name(obj: Object, scene: Scene) -> str | None:
    """What a NOT NULL that is to be an inherited one has to be renamed to, which it cannot be after that."""
    column = scene.desired.objects.get(obj.parent) if obj["type"] == NOT_NULL and obj.parent else None
    if column is None or not column["not_null"] or column["_not_null_name"] in (None, obj["_quoted"]):
        return None
    name: str = column["_not_null_name"]
    return name


def _table(obj: Object, clause: str) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {clause}")
