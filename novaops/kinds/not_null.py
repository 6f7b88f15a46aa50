"""NOT NULL as a constraint (PostgreSQL 18), which is renamed where others are made anew; not a kind itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import object_name, quote_ident, suffixed
from novaops.kinds.inheritance import comes_to_inherit, detached, live
from novaops.kinds.kind import Phase, Placement, Scene, Step
from novaops.kinds.levels import NOT_NULL, not_null_ahead, not_null_left, own_not_null


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


def clause(obj: Object) -> str:
    """An inherited NOT NULL, by the name that it has there: no statement could rename it later."""
    name = obj["_not_null_name"]
    own = quote_ident(object_name(obj["_relation_name"], obj.address.names[-1], "not_null"))
    return "NOT NULL" if name in (None, own) else f"CONSTRAINT {name} NOT NULL"


def needs_levels(obj: Object, scene: Scene) -> bool:
    """Whether a level below has to get a NOT NULL by a statement of its own, before this one reaches it."""
    column = scene.desired[obj.parent] if obj.parent else obj
    # An identity wants it at once.
    return column["identity_options"] is None and any(not_null_ahead(column, obj["_quoted"], scene))


def ahead(obj: Object, scene: Scene, ending: str = "") -> list[Step]:
    """Statements for the levels below, before that for this constraint; `ending` is that of all of them."""
    column = scene.desired[obj.parent] if obj.parent else obj
    return _ahead(column, obj["_quoted"], scene, ending)


def left(obj: Object, scene: Scene) -> list[Step]:
    """Statements for the levels below where it stays when this one goes."""
    return [] if obj.parent is None or scene.drops(obj.parent) else _left(scene.live[obj.parent], scene)


def _ahead(column: Object, name: str, scene: Scene, ending: str = "") -> list[Step]:
    heirs = not_null_ahead(column, name, scene)
    return [_own(heir, heir["_not_null_name"], ending) for heir in heirs]


def _left(column: Object, scene: Scene) -> list[Step]:
    return [_alter(heir, "DROP NOT NULL") for heir in not_null_left(column, scene)]


def declared_besides(old: Object, new: Object, scene: Scene) -> list[Step]:
    """Statements for an inherited NOT NULL that is to be the table's own besides (`pg_constraint.conislocal`)."""
    if not new["not_null_besides"] or old["not_null_besides"] or not old["not_null"]:
        return []
    # What was there by itself stays so when the column comes to inherit it, and what a parent leaves becomes it.
    if own_not_null(old, scene.live) or comes_to_inherit(old, new, scene):
        return []
    return [_own(new, old["_not_null_name"])]


def comment_before(old: Object, scene: Scene) -> str | None:
    """What is said of the NOT NULL that is, or comes to be, inherited."""
    own, comment = own_not_null(old, scene.live), old["not_null_comment"]
    return comment if own is None else own.comment


def set_for_column(new: Object, scene: Scene) -> list[Step]:
    """SET NOT NULL finds a validated CHECK and then reads no row (documentation, ALTER TABLE)."""
    if not new["not_null"]:
        return [_alter(new, "DROP NOT NULL"), *_left(scene.live[new.address], scene)]
    text = clause(new) if scene.version >= 180000 else "NOT NULL"
    # SET would make up a name, and no statement could change that of an inherited one.
    set_not_null = _alter(new, "SET NOT NULL") if text == "NOT NULL" else _own(new, new["_not_null_name"])
    below = _ahead(new, new["_not_null_name"], scene) if scene.version >= 180000 else []
    if not scene.online(new):
        return [*below, set_not_null]
    *relation, column = new.address.names
    names = (suffixed(column, f"__novaops_not_null{n or ''}") for n in count())
    # What a plan left behind when it failed has its name until this one drops it.
    free = next(n for n in names if Address("table constraint", (*relation, n)) not in scene.live)
    table, name = f"ALTER TABLE {new['_relation']}", quote_ident(free)
    check = f"{table} ADD CONSTRAINT {name} CHECK ({new['_quoted']} IS NOT NULL) NOT VALID"
    first = Step(check, placement=Placement.APART, phase=Phase.PREPARE)
    return [
        first,
        replace(first, sql=f"{table} VALIDATE CONSTRAINT {name}", patient=True),
        *below,
        set_not_null,
        Step(f"{table} DROP CONSTRAINT {name}"),
    ]


def _own(column: Object, name: str, ending: str = "") -> Step:
    add = f"ADD CONSTRAINT {name} NOT NULL {column['_quoted']}{ending}"
    return Step(f"ALTER TABLE {column['_relation']} {add}")


def _alter(column: Object, clause: str) -> Step:
    return Step(f"ALTER TABLE {column['_relation']} ALTER COLUMN {column['_quoted']} {clause}")


def _table(obj: Object, clause: str) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {clause}")
