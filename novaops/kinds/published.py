"""What a publication publishes less of than before, to subscribers that there are; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.reach import publishes_changes

SUBSCRIBED = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots"
    " WHERE slot_type = 'logical' AND database = pg_catalog.current_database())"
)
"""Whether anybody may subscribe: each subscriber reads from a slot of its own."""


def publishes_less(old: Object, new: Object, changed: Set[str]) -> Iterator[Risk]:
    """For a publication that changes, or is made anew."""
    if "all_tables" in changed:
        # Decoding fails for slots made before a publication that is made again.
        yield _told(old.identity, "replication to its subscribers", "would stop while it is made anew")
    lost = [operation for operation in _operations(old) if operation not in _operations(new)]
    if lost:
        yield _told(old.identity, f"each {', '.join(lost)}", "would reach its subscribers no more")
    if "via_root" in changed:
        yield _told(old.identity, "changes of partitions", "would come by the name of another table")
    if "generated_columns" in changed and new["generated_columns"] == "none":
        yield _told(old.identity, "generated columns", "would reach its subscribers no more")


def left_out(table: Object, scene: Scene) -> list[Risk]:
    """For a table by itself that a publication loses."""
    tables = (a for a in _tables(table, scene.live) if not _published(a, table.parent, scene.desired))
    return _unpublished(table, tables, scene)


def schema_left_out(schema: Object, scene: Scene) -> list[Risk]:
    """For the tables of a schema that a publication loses."""
    inside = [o.address for o in scene.live if o.kind == "table" and o.schema == schema.address.names[0]]
    return _unpublished(schema, (a for a in inside if not _published(a, schema.parent, scene.desired)), scene)


def shows_less(old: Object, new: Object, scene: Scene) -> Iterator[Risk]:
    """For a published table with another row filter or list of columns."""
    if new["row_filter"] is not None and new["row_filter"] != old["row_filter"]:
        says = "would reach its subscribers only where the row filter is met"
        yield _told(old.identity, "its rows", says)
    if new["columns"] is None:
        return
    kept = {c["_quoted"] for address in _tables(new, scene.desired) for c in _columns(address, scene.desired)}
    before = {c["_quoted"] for address in _tables(old, scene.live) for c in _columns(address, scene.live)}
    lost = (set(old["columns"] or before) & kept) - set(new["columns"])
    if lost:
        yield _told(old.identity, f"column {', '.join(sorted(lost))}", "would reach its subscribers no more")


def without_identity(key: Object, scene: Scene) -> list[Risk]:
    """For a primary key that goes and by which updates and deletes of a published table are told (`REPLICA IDENTITY DEFAULT`).

    See CheckCmdReplicaIdentity() in src/backend/executor/execReplication.c.
    """
    table = scene.desired.objects.get(key.parent) if key.parent else None
    if (
        key["type"] != "p"
        or table is None
        or scene.live[table.address].attributes.get("replica_identity") != "d"
    ):
        return []
    keys = (
        o for o in scene.desired.children.get(table.address, ()) if o.kind == key.kind and o["type"] == "p"
    )
    if table.attributes.get("replica_identity") != "d" or any(keys):
        return []
    says = "would be refused: its table is published and would have no replica identity"
    return [
        Risk(
            "behaviour", key.identity, "every UPDATE and DELETE", publishes_changes(table.identity), says=says
        )
    ]


def _operations(publication: Object) -> list[str]:
    return [operation.strip() for operation in publication["publish"].split(",")]


def _tables(relation: Object, snapshot: Snapshot) -> list[Address]:
    """The table that an entry of a publication is about, which it depends on, or its columns do."""
    needed = (edge.referenced for edge in snapshot.dependencies.get(relation.address, ()))
    found = (Address("table", a.names[:2]) for a in needed if a.type in ("table", "table column"))
    return list(dict.fromkeys(found))


def _columns(table: Address, snapshot: Snapshot) -> Iterator[Object]:
    """Those that are published where none are listed."""
    children = snapshot.children.get(table, ())
    return (c for c in children if c.address.type == "table column" and not c["generated"])


def _published(table: Address, publication: Address | None, snapshot: Snapshot) -> bool:
    """Whether the publication has the table: by name, by its schema, by the one that it is a partition of, or all."""
    if publication is None or publication not in snapshot or table not in snapshot:
        return True  # the loss of either is told by itself
    if snapshot[publication]["all_tables"]:
        return True
    for entry in snapshot.children.get(publication, ()):
        if entry.kind == "publication relation" and table in _tables(entry, snapshot):
            return True
        if entry.kind == "publication namespace" and entry.address.names[0] == table.names[0]:
            return True
    root = snapshot[table]["partition_of"]
    edges = snapshot.dependencies.get(table, ())
    above = [
        e.referenced for e in edges if e.referenced in snapshot and snapshot[e.referenced].identity == root
    ]
    return any(_published(a, publication, snapshot) for a in above)


def _unpublished(entry: Object, tables: Iterable[Address], scene: Scene) -> list[Risk]:
    names = sorted(scene.live[address].identity for address in tables)
    if not names:
        return []
    return [_told(entry.identity, f"changes of {', '.join(names)}", "would reach its subscribers no more")]


def _told(subject: str, what: str, says: str) -> Risk:
    return Risk("behaviour", subject, what, SUBSCRIBED, says=says)
