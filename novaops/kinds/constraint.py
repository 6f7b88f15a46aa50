"""Constraints of tables (`pg_constraint`): CHECK, NOT NULL, keys, exclusion and foreign keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import object_name, quote_ident, quote_literal
from novaops.kinds import storage_parameters
from novaops.kinds.concurrently import build, working_name
from novaops.kinds.inheritance import (
    attached_again,
    beyond_invalid,
    brought,
    detached,
    lacking,
    live,
    origin,
    taken,
)
from novaops.kinds.kind import Kind, Part, Phase, Placement, Risk, Scene, Step
from novaops.kinds.obstacles import violated
from novaops.kinds.work import Work, offline, rewrite, scan

CHECK, FOREIGN_KEY, NOT_NULL, EXCLUSION = "c", "f", "n", "x"
KEYS = ("p", "u", "x")
"""Constraints that have an index (`pg_constraint.conindid`)."""
COPIED = (FOREIGN_KEY, EXCLUSION)
"""Constraints that ATTACH PARTITION copies: it compares no exclusion indexes (CompareIndexInfo)."""
RECURSIVE = (CHECK, FOREIGN_KEY, NOT_NULL)
"""Constraints that a statement about the parent creates, changes and drops in its children too."""


class Constraint(Kind):
    name = "constraint"
    types = ("table constraint",)
    named_after = True
    evaluates = True
    rank = 60
    locks = 2  # itself, and its index or the table that it refers to
    joined = True
    late = frozenset({"P", "S"})  # an attached key's on its parent: ATTACH PARTITION makes them

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        if (name := _name_before(obj, scene)) is not None:
            return _let_go(obj, name, scene)
        if scene.online(obj) and (steps := _online(obj, scene)):
            return steps
        # The keys of partitions are made one by one and attached.
        only = "ONLY " if obj["type"] in KEYS and obj["_partitioned"] and obj["type"] != EXCLUSION else ""
        add = f"ALTER TABLE {only}{obj['_relation']} ADD CONSTRAINT {obj['_quoted']} {_definition(obj)}"
        return [Step(add, work=_offline(obj, scene) if not only else ())]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        if obj["type"] != NOT_NULL:
            return f"CONSTRAINT {obj['_quoted']} {_definition(obj)}"
        name = object_name(obj["_relation_name"], obj["_columns"][0], "not_null")
        # A partition that was detached from the old table may still use the name.
        rebuilt = any(o.address in scene.replaced for o in scene.desired.ancestors(obj))
        made_up = obj.name == name and not rebuilt and not _shares_name(obj, scene)
        named = "" if made_up else f"CONSTRAINT {obj['_quoted']} "
        return f"{named}NOT NULL{' NO INHERIT' if obj['no_inherit'] else ''}"

    def joins(self, obj: Object, scene: Scene) -> bool:
        if obj["type"] == FOREIGN_KEY or not obj["validated"]:
            return False
        if obj["type"] == EXCLUSION and origin(obj) is not None:
            return False
        if obj["type"] in KEYS and (_repeats(obj, scene) or not obj["valid"]):
            return False
        if obj["type"] == NOT_NULL and obj.parent is not None:
            column = scene.desired[obj.parent]
            return not (column["_typed"] or brought(column, scene))
        return not brought(obj, scene)

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        steps = []
        if obj["type"] == CHECK and brought(obj, scene):
            steps += _validated(obj, scene)
            if obj["_local"]:
                # It merges with the inherited one, and stays when that goes.
                steps.append(_table(obj, f"ADD CONSTRAINT {obj['_quoted']} {_definition(obj)}"))
        if obj["parent_index"] and obj["type"] != EXCLUSION:
            steps.append(_attach(obj))
        if obj["clustered"]:
            steps.append(_table(obj, f"CLUSTER ON {obj['_quoted']}"))
        if obj["replica_identity"]:
            steps.append(_table(obj, f"REPLICA IDENTITY USING INDEX {obj['_quoted']}"))
        if obj["index_comment"] is not None:
            steps.append(_index_comment(obj))
        return steps

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        source = origin(new)
        if origin(old) and source and new["type"] in RECURSIVE:
            return _validated(new, scene) if "validated" in changed or scene.creates(source) else []
        if changed & {"type", "definition", "predicate"} or ("valid" in changed and not new["_partitioned"]):
            return None
        if "options" in changed and new["_partitioned"]:
            return None
        if "parent_index" in changed and old["parent_index"] and not detached(new, scene):
            return None
        clauses = _state(new, changed)
        again = attached_again(new, scene) if "valid" in changed and new["valid"] else []
        if clauses is None or again is None:
            return None
        steps = []
        if clauses:
            enforced = (scan(new["_relation"], "SHARE ROW EXCLUSIVE"),) if "ENFORCED" in clauses else ()
            steps.append(_table(new, f"ALTER CONSTRAINT {new['_quoted']} {' '.join(clauses)}", *enforced))
        if "validated" in changed and "enforced" not in changed:
            steps.append(_validate(new, scene))
        return [*steps, *_index_steps(old, new, changed, scene), *map(_attach, again)]

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        if (name := _merged_name(obj, scene)) is not None:
            return [_table(obj, f"RENAME CONSTRAINT {obj['_quoted']} TO {name}")]
        drop = _table(obj, f"DROP CONSTRAINT {obj['_quoted']}")
        if obj["parent_index"] is None or origin(obj) is not None or detached(obj, scene):
            return [drop]
        # Attached to an index without constraint, neither can be dropped while the other is there.
        table = scene.live[obj.parent] if obj.parent else obj
        parent, partition = table["partition_of"], table.identity
        return [
            Step(f"ALTER TABLE {parent} DETACH PARTITION {partition}"),
            drop,
            Step(f"ALTER TABLE ONLY {parent} ATTACH PARTITION {partition} {table['partition_bound']}"),
        ]

    def rename(self, obj: Object, name: str) -> list[Step]:
        return [_table(obj, f"RENAME CONSTRAINT {obj['_quoted']} TO {quote_ident(name)}")]

    def comment_target(self, obj: Object) -> str:
        return f"CONSTRAINT {obj['_quoted']} ON {obj['_relation']}"

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        attached = obj["type"] in KEYS and origin(obj) == lost.address
        return frozenset({"parent_index"}) if attached and detached(obj, scene) else None

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        added = new["type"] == NOT_NULL and new.parent not in scene.live.objects
        return [] if added else violated(new, scene)

    def beyond(self, old: Object, new: Object) -> Mapping[str, str]:
        return beyond_invalid(new)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", obj.address.names[0], obj.name)] if obj["type"] in KEYS else []

    def working_names(self, obj: Object, scene: Scene) -> Iterable[tuple[str, ...]]:
        return [("relation", obj.address.names[0], working_name(obj, scene))]

    def refused(self, obj: Object) -> frozenset[str]:
        # The server makes the others again by itself; a foreign key must not meet two types half-way.
        return frozenset({"column type"}) if obj["type"] == FOREIGN_KEY else frozenset()

    def needs(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        source = origin(obj)
        if source is not None and obj["type"] in RECURSIVE:
            return [source]
        if obj["type"] != "p" and not obj["replica_identity"]:
            return []
        # A primary key (and a replica identity) makes its columns NOT NULL and holds them to it.
        columns = [Address("table column", (*obj.address.names[:2], c)) for c in obj["_columns"]]
        inside = [child for column in columns for child in snapshot.children.get(column, ())]
        return [child.address for child in inside if child.attributes.get("type") == NOT_NULL]

    def known_by(self, obj: Object, snapshot: Snapshot) -> Hashable | None:
        if obj["type"] != FOREIGN_KEY or origin(obj) is None:
            return None
        # Copies bear the name of the foreign key, or one that they had before ATTACH PARTITION made them copies.
        first = obj
        while (source := origin(first)) is not None:
            first = snapshot[source]
        return obj.parent, first.address

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        return lacking(obj, snapshot) if obj["type"] in KEYS else ()

    def produced(self, obj: Object, scene: Scene) -> bool:
        if live(obj, scene):
            stays = _stays(obj, scene) and _merged_name(obj, scene) is None
            return taken(obj, scene) or stays
        if obj["type"] in COPIED:
            return origin(obj) is not None
        return obj["type"] in RECURSIVE and brought(obj, scene)


def _repeats(obj: Object, scene: Scene) -> bool:
    """Whether another key has the same columns: CREATE TABLE would make one index of the two.

    See transformIndexConstraints in src/backend/parser/parse_utilcmd.c.
    """
    others = scene.desired.children.get(obj.parent, ()) if obj.parent else ()
    alike = [o for o in others if o.attributes.get("type") in KEYS and o["_key"] == obj["_key"]]
    return obj is not min(alike, key=lambda key: (key["type"] != "p", key.name))


def _shares_name(obj: Object, scene: Scene) -> bool:
    """Whether another table of the schema has a constraint so named: PostgreSQL then makes up another name."""
    key = (obj.address.type, obj.name)
    others = {*scene.live.namesakes.get(key, ()), *scene.desired.namesakes.get(key, ())} - {obj.address}
    return any(other.names[0] == obj.address.names[0] for other in others)


def _online(obj: Object, scene: Scene) -> list[Step]:
    """Statements that read the rows without keeping others from them; none where PostgreSQL has no such."""
    if obj["type"] in ("p", "u") and not obj["_partitioned"] and obj["_index_definition"]:
        name = quote_ident(working_name(obj, scene))
        key = f"{'PRIMARY KEY' if obj['type'] == 'p' else 'UNIQUE'} USING INDEX {name}{_timing(obj)}"
        add = _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {key}")
        return [build(obj, obj["_index_definition"], scene), add]
    if obj["type"] in KEYS or not obj["enforced"] or not obj["validated"] or brought(obj, scene):
        return []
    if obj["type"] == FOREIGN_KEY and obj["_partitioned"] and scene.version < 180000:
        # NOT VALID is refused there, but those of partitions that are valid are taken over without a look at
        # the rows (tryAttachPartitionForeignKey() in src/backend/commands/tablecmds.c).
        ahead = [step for part in _parts(obj, scene) for step in _ahead(part, scene)]
        return [*ahead, _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {_definition(obj)}")]
    add = _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {_definition(obj)} NOT VALID")
    return [add, _validate(obj, scene)]


def _parts(obj: Object, scene: Scene) -> Iterator[Object]:
    """The copies of a foreign key in partitions that have rows."""
    for edge in scene.desired.attached.get(obj.address, ()):
        part = scene.desired[edge.dependent]
        if part["_partitioned"]:
            yield from _parts(part, scene)
        elif scene.online(part):
            yield part


def _ahead(obj: Object, scene: Scene) -> list[Step]:
    """What makes the constraint before that of the parent; an earlier run may have come half the way."""
    add = _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {_definition(obj)} NOT VALID")
    add = replace(add, placement=Placement.APART, phase=Phase.PREPARE)
    validate = replace(_validate(obj, scene), phase=Phase.PREPARE)
    return [add, validate] if scene.creates(obj.address) else [validate]


def _offline(obj: Object, scene: Scene) -> tuple[Work, ...]:
    """What PostgreSQL does with the rows for a constraint that it has no online form for."""
    building = scene.online(obj) and obj["type"] in KEYS
    return (offline(obj["_relation"], "builds an index over"),) if building else ()


def _renamed(obj: Object, scene: Scene) -> Object | None:
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


def _name_before(obj: Object, scene: Scene) -> str | None:
    """What the NOT NULL of the column is called, if it has one that becomes this."""
    if obj["type"] != NOT_NULL or obj.parent is None or scene.creates(obj.parent):
        return None
    column = scene.live[obj.parent]
    if not column["not_null"] and _renamed(obj, scene) is None:
        return None
    name: str | None = column["_not_null_name"]
    return name


def _let_go(obj: Object, name: str, scene: Scene) -> list[Step]:
    """Statements for a NOT NULL of the column, of that name, that it is to have for itself."""
    column = scene.live[obj.parent] if obj.parent else obj
    rename = _table(obj, f"RENAME CONSTRAINT {name} TO {obj['_quoted']}")
    steps = [] if name == obj["_quoted"] else [rename]
    if column["not_null"] and not column["not_null_besides"] and not detached(column, scene):
        # It went with the parent's, unless the table has left the parent, and then nothing happens here.
        steps.insert(0, _table(obj, f"ADD CONSTRAINT {name} NOT NULL {column['_quoted']}"))
    return steps


def _stays(obj: Object, scene: Scene) -> bool:
    """Whether this NOT NULL is renamed, or merges with what the column comes to inherit."""
    column = scene.desired.objects.get(obj.parent) if obj["type"] == NOT_NULL and obj.parent else None
    return column is not None and (column["not_null"] or _renamed(obj, scene) is not None)


def _merged_name(obj: Object, scene: Scene) -> str | None:
    """What a NOT NULL that is to be an inherited one has to be renamed to, which it cannot be after that."""
    column = scene.desired.objects.get(obj.parent) if obj["type"] == NOT_NULL and obj.parent else None
    if column is None or not column["not_null"] or column["_not_null_name"] in (None, obj["_quoted"]):
        return None
    name: str = column["_not_null_name"]
    return name


def _definition(obj: Object) -> str:
    """The whole definition, in the order of the grammar's ColConstraint and ConstraintElem."""
    text = obj["definition"]
    if parameters := storage_parameters.given(obj):
        text += f" {parameters}"
    if obj["tablespace"]:
        text += f" USING INDEX TABLESPACE {obj['tablespace']}"
    if obj["predicate"]:
        text += f" WHERE ({obj['predicate']})"
    if obj["no_inherit"]:
        text += " NO INHERIT"
    text += _timing(obj)
    if not obj["enforced"]:
        text += " NOT ENFORCED"
    elif not obj["validated"]:
        text += " NOT VALID"
    return str(text)


def _timing(obj: Object) -> str:
    words = ["DEFERRABLE"] * obj["deferrable"] + ["INITIALLY DEFERRED"] * obj["deferred"]
    return "".join(f" {word}" for word in words)


def _state(new: Object, changed: frozenset[str]) -> list[str] | None:
    """What ALTER CONSTRAINT can set; None when something that it cannot set differs."""
    clauses = []
    if changed & {"deferrable", "deferred"}:
        if new["type"] != FOREIGN_KEY:
            return None
        clauses.append("DEFERRABLE" if new["deferrable"] else "NOT DEFERRABLE")
        if new["deferrable"]:
            clauses.append("INITIALLY DEFERRED" if new["deferred"] else "INITIALLY IMMEDIATE")
    if "enforced" in changed:
        # ENFORCED reads the rows there and then: it leads to a validated constraint only.
        if new["type"] != FOREIGN_KEY or (new["enforced"] and not new["validated"]):
            return None
        clauses.append("ENFORCED" if new["enforced"] else "NOT ENFORCED")
    elif "validated" in changed and not new["validated"]:
        return None
    if "no_inherit" in changed:
        if new["type"] != NOT_NULL:
            return None
        clauses.append("NO INHERIT" if new["no_inherit"] else "INHERIT")
    return clauses


def _index_steps(old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step]:
    """Statements for what belongs to the index of a key."""
    steps = [Step(f"ALTER INDEX {new['_index']} {clause}") for clause in storage_parameters.altered(old, new)]
    if "tablespace" in changed:
        space = new["tablespace"] or "pg_default"
        moved = (rewrite(new["_relation"], new["_index"]),)
        steps.append(Step(f"ALTER INDEX {new['_index']} SET TABLESPACE {space}", work=moved))
    if "parent_index" in changed and new["parent_index"]:
        steps.append(_attach(new))
    if "clustered" in changed:
        others = scene.desired.children.get(new.parent, ()) if new.parent else ()
        if new["clustered"]:
            steps.append(_table(new, f"CLUSTER ON {new['_quoted']}"))
        elif not any(o.attributes.get("clustered") for o in others):
            steps.append(_table(new, "SET WITHOUT CLUSTER"))
    if "replica_identity" in changed and new["replica_identity"]:
        steps.append(_table(new, f"REPLICA IDENTITY USING INDEX {new['_quoted']}"))
    if "index_comment" in changed:
        steps.append(_index_comment(new))
    return steps


def _table(obj: Object, clause: str, *work: Work) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {clause}", work=work)


def _validated(obj: Object, scene: Scene) -> list[Step]:
    """Validate an inherited constraint where that of the parent stays NOT VALID."""
    source = origin(obj)
    if not obj["validated"] or source is None or scene.desired[source]["validated"]:
        return []
    return [_validate(obj, scene)]


def _validate(obj: Object, scene: Scene) -> Step:
    """Where there are rows to read it comes last and by itself: others go on reading and writing them."""
    step = _table(obj, f"VALIDATE CONSTRAINT {obj['_quoted']}")
    if not scene.online(obj):
        return step
    return replace(step, placement=Placement.APART, phase=Phase.VALIDATE, patient=True)


def _attach(obj: Object) -> Step:
    # Nothing happens when attaching the table has attached its index already.
    return Step(f"ALTER INDEX {obj['parent_index']} ATTACH PARTITION {obj['_index']}", phase=Phase.FINISH)


def _index_comment(obj: Object) -> Step:
    text = "NULL" if obj["index_comment"] is None else quote_literal(obj["index_comment"])
    return Step(f"COMMENT ON INDEX {obj['_index']} IS {text}")
