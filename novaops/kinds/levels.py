"""What a statement about a table does to the tables below it; not a kind itself.

Without ONLY a statement reaches the partitions of a table and the tables that inherit from it, at any
depth (documentation, ALTER TABLE). What it leaves at a level may differ from what the files declare
there: this module says what it leaves, and the kinds write the statements for the difference. Where a
table inherits from several, the first one counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.inheritance import (
    brought,
    detached,
    is_child,
    leaves_parent,
    newly_made,
    origin,
    taken,
)
from novaops.kinds.kind import Scene

CHECK, NOT_NULL = "c", "n"
TABLES = ("table", "foreign table")


def below(obj: Object, snapshot: Snapshot) -> list[Object]:
    """Return the columns, or constraints, that inherit `obj` directly."""
    edges = snapshot.dependents.get(obj.parent, ()) if obj.parent else ()
    tables = sorted({edge.dependent for edge in edges if edge.dependent.type in TABLES})
    found = (snapshot.objects.get(_part(obj, table)) for table in tables)
    return [heir for heir in found if heir is not None and origin(heir) == obj.address]


def _part(obj: Object, table: Address) -> Address:
    """Return the address of what is called like `obj` in another table."""
    type_ = f"{table.type} column" if obj.kind == "column" else obj.address.type
    return Address(type_, (*table.names, obj.name))


def created_ahead(column: Object, scene: Scene) -> list[Address]:
    """Return the columns below that are declared there as well, and so are added before `column`.

    ADD COLUMN merges with a column that a child has and leaves it declared there; a column that it
    brings can never become so (ATExecAddColumn() in src/backend/commands/tablecmds.c).
    """
    if newly_made(column, scene):
        return []
    heirs = (heir for heir in below(column, scene.desired) if scene.creates(heir.address))
    return [h.address for h in heirs if not (newly_made(h, scene) or brought(h, scene))]


def is_in_deep_tree(column: Object, snapshot: Snapshot) -> bool:
    """Whether the topmost column that this one comes from has more than one level below it.

    DROP EXPRESSION is refused for such a tree: ATPrepDropExpression() in src/backend/commands/tablecmds.c takes the
    recursion into a table that has children for ONLY.
    """
    top = _topmost(column, snapshot)
    return any(below(heir, snapshot) for heir in below(top, snapshot))


def loses_names(column: Object, snapshot: Snapshot) -> bool:
    """Whether SET EXPRESSION of the tree of the column would make an inherited NOT NULL again under another name.

    It is made again by the statement for the table above, for all levels, and for none with ONLY
    (ATPostAlterTypeCleanup() in src/backend/commands/tablecmds.c, PostgreSQL 18).
    """
    return _has_other_names(_topmost(column, snapshot), snapshot)


def _has_other_names(column: Object, snapshot: Snapshot) -> bool:
    return any(
        (heir["not_null"] and heir["_not_null_name"] != column["_not_null_name"])
        or _has_other_names(heir, snapshot)
        for heir in below(column, snapshot)
    )


def _topmost(column: Object, snapshot: Snapshot) -> Object:
    source = origin(column)
    return column if source is None or source not in snapshot else _topmost(snapshot[source], snapshot)


def is_alike_below(column: Object, name: str, scene: Scene) -> bool:
    """Whether the column is to have the same value of an attribute at every level below."""
    heirs = below(column, scene.desired)
    return all(h[name] == column[name] and is_alike_below(h, name, scene) for h in heirs)


def arriving_default(column: Object, scene: Scene) -> Object | None:
    """Return the default that a new column has by the statement that brings it.

    ADD COLUMN gives its default to every level; CREATE TABLE … INHERITS takes that of the level above.
    """
    source = origin(column)
    if source is None or not brought(column, scene):
        return None
    above = scene.desired[source]
    if not newly_made(column, scene) and brought(above, scene):
        return arriving_default(above, scene)
    return scene.desired.objects.get(Address("default value", source.names))


def default_undone(column: Object, scene: Scene) -> bool:
    """Whether CREATE TABLE … INHERITS would give a column that is declared there as well a default that it is not to have."""
    source = origin(column)
    if source is None or column["_partition"] or not newly_made(column, scene) or brought(column, scene):
        return False
    above, own = (Address("default value", names) for names in (source.names, column.address.names))
    return above in scene.desired and own not in scene.desired


def filling_default(column: Object, scene: Scene) -> Object | None:
    """Return the default whose value the rows that are there get in a new column."""
    if brought(column, scene):
        return arriving_default(column, scene)
    return scene.desired.objects.get(Address("default value", column.address.names))


def own_not_null(column: Object, snapshot: Snapshot) -> Object | None:
    """Return the NOT NULL of the column that is not inherited (PostgreSQL 18)."""
    inside = snapshot.children.get(column.address, ())
    return next((child for child in inside if child.attributes.get("type") == NOT_NULL), None)


def starts_not_null(column: Object, snapshot: Snapshot) -> bool:
    """Whether the column is NOT NULL, and not because that of the table above is."""
    source = origin(column)
    if own_not_null(column, snapshot) is not None:
        return True
    if source is None or not column["not_null"]:
        return bool(column["not_null"])
    above = snapshot[source]
    return not above["not_null"] and own_not_null(above, snapshot) is None


def governing_not_null(column: Object, snapshot: Snapshot) -> Object | None:
    """Return the NOT NULL by which the column has its own: the same, or that of a table above."""
    found, source = own_not_null(column, snapshot), origin(column)
    if found is not None or source is None or not column["not_null"] or source not in snapshot:
        return found
    return governing_not_null(snapshot[source], snapshot)


def not_null_ahead(column: Object, name: str, scene: Scene) -> Iterator[Object]:
    """Return the columns below that need a NOT NULL before `column` gets one called `name`, the lowest first.

    It would come to them under that name, and an inherited one can be neither renamed nor declared; one that
    is there it merges with (AdjustNotNullInheritance() in src/backend/catalog/pg_constraint.c, PostgreSQL 18).
    """
    heirs = [] if newly_made(column, scene) else below(column, scene.desired)
    for heir in heirs:
        reached = heir["not_null"] and not newly_made(heir, scene)
        if not reached or not is_child(heir, column.address, scene) or detached(heir, scene):
            continue
        yield from not_null_ahead(heir, heir["_not_null_name"], scene)
        if heir["_not_null_name"] != name or heir["not_null_besides"]:
            live = None if scene.creates(heir.address) else scene.live[heir.address]
            if live is None or not (live["not_null"] or own_not_null(live, scene.live)):
                yield heir


def not_null_left(column: Object, scene: Scene) -> Iterator[Object]:
    """Return the columns below that keep a NOT NULL, and are not to, when `column` loses its own; the highest first.

    One that is declared there as well stays (dropconstraint_internal() in src/backend/commands/tablecmds.c).
    """
    for heir in below(scene.live[column.address], scene.live):
        goal = scene.desired.objects.get(heir.address)
        if not heir["not_null"] or goal is None or scene.drops(heir.address) or leaves_parent(heir, scene):
            continue
        if goal["not_null"] or own_not_null(goal, scene.desired):
            continue
        if heir["_not_null_local"]:
            yield goal
        yield from not_null_left(heir, scene)


def checks_ahead(check: Object, scene: Scene) -> Iterator[Object]:
    """Return the checks below that are declared there as well, the lowest first: `check` then merges with them.

    A valid one would not merge with an inherited one that is not valid yet (MergeWithExistingConstraint()
    in src/backend/catalog/heap.c).
    """
    for heir in below(check, scene.desired):
        if scene.creates(heir.address) and not newly_made(heir, scene) and brought(heir, scene):
            yield from checks_ahead(heir, scene)
            if heir["declared"]:
                yield heir


def declared_below(check: Object, scene: Scene) -> bool:
    """Whether the check, or one that inherits it, was declared where it is as well, and stays when the parent's goes."""
    return bool(check["declared"]) or any(declared_below(heir, scene) for heir in _checks_below(check, scene))


def checks_left(check: Object, scene: Scene) -> Iterator[Object]:
    """Return the checks below that then stay of those that go too: no statement could drop them before."""
    for heir in _checks_below(check, scene):
        with_its_table = heir.parent is not None and scene.drops(heir.parent)
        if scene.drops(heir.address) and taken(heir, scene) and not with_its_table:
            yield from [heir] if heir["declared"] else checks_left(heir, scene)


def _checks_below(check: Object, scene: Scene) -> list[Object]:
    return below(check, scene.live) if check["type"] == CHECK else []
