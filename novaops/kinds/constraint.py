"""Constraints of tables (`pg_constraint`): CHECK, NOT NULL, keys, exclusion and foreign keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import object_name, quote_ident, quote_literal
from novaops.kinds import index_settings, not_null
from novaops.kinds.concurrently import build, working_name
from novaops.kinds.constraint_clauses import FOREIGN_KEY, altered_clauses, definition, timing
from novaops.kinds.constraint_triggers import set_modes, unwatched
from novaops.kinds.index_settings import attach
from novaops.kinds.index_types import goes_before
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
from novaops.kinds.levels import (
    CHECK,
    NOT_NULL,
    checks_ahead,
    checks_left,
    declared_below,
    governing_not_null,
)
from novaops.kinds.obstacles import UNENFORCED, violated
from novaops.kinds.published import without_identity
from novaops.kinds.words import MODE_NAMES
from novaops.kinds.work import Work, offline, scan

EXCLUSION = "x"
TYPES = {"c": "CHECK", "f": "FOREIGN KEY", "n": "NOT NULL", "p": "PRIMARY KEY", "u": "UNIQUE", "x": "EXCLUDE"}
INDEXED = ("p", "u", "x")
"""Constraints that have an index (`pg_constraint.conindid`)."""
RECURSIVE = (CHECK, FOREIGN_KEY, NOT_NULL)
"""Constraints that a statement about the parent creates, changes and drops in its children too."""


class Constraint(Kind):
    name = "constraint"
    types = ("table constraint",)
    named_after = True
    evaluates = True
    rank = 60
    words = {"type": TYPES, "trigger_modes": MODE_NAMES}
    locks = 2  # itself, and its index or the table that it refers to
    joined = True
    late = frozenset({"P", "S"})  # an attached key's on its parent: ATTACH PARTITION makes them

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        if (name := not_null.name_before(obj, scene)) is not None:
            return not_null.let_go(obj, name, scene)
        if scene.online(obj) and (steps := _online(obj, scene)):
            return steps
        # The keys of partitions are made one by one and attached.
        only = "ONLY " if obj["type"] in INDEXED and obj["_partitioned"] and not _excludes(obj) else ""
        add = f"ALTER TABLE {only}{obj['_relation']} ADD CONSTRAINT {obj['_quoted']} {definition(obj)}"
        return [*_ahead(obj, scene), Step(add, work=_offline(obj, scene) if not only else ())]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        if obj["type"] != NOT_NULL:
            return f"CONSTRAINT {obj['_quoted']} {definition(obj)}"
        name = object_name(obj["_relation_name"], obj["_columns"][0], "not_null")
        # A partition that was detached from the old table may still use the name.
        rebuilt = any(o.address in scene.replaced for o in scene.desired.ancestors(obj))
        made_up = obj.name == name and not rebuilt and not _shares_name(obj, scene)
        named = "" if made_up else f"CONSTRAINT {obj['_quoted']} "
        return f"{named}NOT NULL{' NO INHERIT' if obj['no_inherit'] else ''}"

    def joins(self, obj: Object, scene: Scene) -> bool:
        if obj["type"] == FOREIGN_KEY or not obj["validated"]:
            return False
        if _excludes(obj) and origin(obj) is not None:
            return False
        if obj["type"] in INDEXED and (_repeats(obj, scene) or not obj["valid"]):
            return False
        if obj["type"] == NOT_NULL:
            return _with_column(obj, scene)
        return not brought(obj, scene)

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        steps = []
        if obj["type"] == CHECK and brought(obj, scene):
            steps += _validated(obj, scene)
        if obj["parent_index"] and not _excludes(obj):
            steps.append(_attach(obj))
        steps += [*index_settings.statistics(obj, obj["_index"]), *index_settings.marks(obj)]
        if obj["index_comment"] is not None:
            steps.append(_index_comment(obj))
        return steps + set_modes(None, obj)

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        source = origin(new)
        if unwatched(old, new):
            return None
        if origin(old) and source and new["type"] in RECURSIVE:
            if "definition" in changed and taken(old, scene) and declared_below(old, scene):
                return None
            merged = [_declared(new)] if "declared" in changed and new["declared"] else []
            merged += set_modes(old, new)
            due = "validated" in changed or scene.creates(source)
            return merged + (_validated(new, scene) if due else [])
        if changed & {"type", "definition", "predicate"} or ("valid" in changed and not new["_partitioned"]):
            return None
        if "options" in changed and new["_partitioned"]:
            return None
        if "parent_index" in changed and old["parent_index"] and not detached(new, scene):
            return None
        clauses = altered_clauses(new, changed)
        again = attached_again(new, scene) if "valid" in changed and new["valid"] else []
        if clauses is None or again is None:
            return None
        steps = []
        if "no_inherit" in changed and not new["no_inherit"]:
            steps += not_null.ahead(new, scene)
        if clauses:
            enforced = (scan(new["_relation"], "SHARE ROW EXCLUSIVE"),) if "ENFORCED" in clauses else ()
            steps.append(_table(new, f"ALTER CONSTRAINT {new['_quoted']} {' '.join(clauses)}", *enforced))
        if "no_inherit" in changed and new["no_inherit"]:
            steps += not_null.left(new, scene)
        if "validated" in changed and "enforced" not in changed:
            steps.append(_validate(new, scene))
        steps += [*_index_steps(old, new, changed, scene), *map(_attach, again)]
        return steps + set_modes(old, new)

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        if (name := not_null.merged_name(obj, scene)) is not None:
            return [_table(obj, f"RENAME CONSTRAINT {obj['_quoted']} TO {name}")]
        drop = _table(obj, f"DROP CONSTRAINT {obj['_quoted']}")
        if obj["parent_index"] is None or origin(obj) is not None or detached(obj, scene):
            heirs = [step for heir in checks_left(obj, scene) for step in self.drop(heir, scene)]
            return [drop, *heirs, *(not_null.left(obj, scene) if obj["type"] == NOT_NULL else ())]
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

    def extension_target(self, obj: Object) -> str:
        return f"INDEX {obj['_index']}"

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if lost.kind == "column" and index_settings.forgetful(obj) and not scene.drops(lost.address):
            return frozenset({"statistics"})
        attached = obj["type"] in INDEXED and origin(obj) == lost.address
        return frozenset({"parent_index"}) if attached and detached(obj, scene) else None

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return without_identity(old, scene) if new is None else []

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        added = new["type"] == NOT_NULL and new.parent not in scene.live.objects
        return [] if added else violated(new, scene)

    def beyond(self, old: Object, new: Object) -> Mapping[str, str]:
        found = beyond_invalid(new)
        before, after = old["declared"], new["declared"]
        if before != after and not after:
            found["declared"] = f"{new.identity} stays both inherited and declared there" if before else ""
        return found

    def missing(self, obj: Object) -> str:
        return UNENFORCED.get(obj["type"], super().missing(obj))

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        relation = [("relation", obj.address.names[0], obj.name)] if obj["type"] in INDEXED else []
        # A table has one primary key: the old one goes before there can be another.
        return [*relation, ("primary key", *obj.address.names[:2])] if obj["type"] == "p" else relation

    def working_names(self, obj: Object, scene: Scene) -> Iterable[tuple[str, ...]]:
        return [("relation", obj.address.names[0], working_name(obj, scene))]

    def is_setting(self, obj: Object) -> bool:
        return bool(obj["type"] == NOT_NULL)

    def refused(self, obj: Object) -> frozenset[str]:
        # The server makes the others again by itself; a foreign key must not meet two types half-way.
        feels = frozenset({"column type"} if obj["type"] == FOREIGN_KEY else ())
        return feels | index_settings.forgetful(obj)

    def needs(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        source = origin(obj)
        if source is not None and obj["type"] in RECURSIVE:
            return [source]
        if obj["type"] != "p" and not obj["replica_identity"]:
            return []
        # A primary key (and a replica identity) makes its columns NOT NULL and holds them to it.
        columns = (Address("table column", (*obj.address.names[:2], c)) for c in obj["_columns"])
        found = (governing_not_null(snapshot[c], snapshot) for c in columns if c in snapshot)
        return [governing.address for governing in found if governing is not None]

    def rivals(self, obj: Object, scene: Scene) -> Iterable[Address]:
        if obj["type"] != FOREIGN_KEY:
            return []
        # Of two keys of the same columns it takes the older one (transformFkeyCheckAttrs() in tablecmds.c).
        needed = [edge.referenced for edge in scene.desired.dependencies.get(obj.address, ())]
        tables = {scene.desired[address].parent for address in needed} - {None, obj.parent}
        keys = (key for table in tables if table for key in scene.live.children.get(table, ()))
        return [k.address for k in keys if k.kind in ("constraint", "index") and scene.drops(k.address)]

    def known_by(self, obj: Object, snapshot: Snapshot) -> Hashable | None:
        if obj["type"] != FOREIGN_KEY or origin(obj) is None:
            return None
        # Copies bear the name of the foreign key, or one that they had before ATTACH PARTITION made them copies.
        first = obj
        while (source := origin(first)) is not None:
            first = snapshot[source]
        return obj.parent, first.address

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        return lacking(obj, snapshot) if obj["type"] in INDEXED else ()

    def precedes(self, old: Object, scene: Scene) -> Iterable[Address]:
        return goes_before(old, scene) if old["type"] in INDEXED else ()

    def produced(self, obj: Object, scene: Scene) -> bool:
        if live(obj, scene):
            stays = not_null.stays(obj, scene) and not_null.merged_name(obj, scene) is None
            return taken(obj, scene) or stays
        if obj["type"] == FOREIGN_KEY or _excludes(obj):
            return origin(obj) is not None
        return obj["type"] in RECURSIVE and brought(obj, scene)


def _excludes(obj: Object) -> bool:
    """Whether it is made by operators, as WITHOUT OVERLAPS is too: ATTACH PARTITION compares no such index, it copies.

    See CompareIndexInfo() in src/backend/catalog/index.c.
    """
    return obj["_operators"] is not None


def _repeats(obj: Object, scene: Scene) -> bool:
    """Whether another key has the same columns: CREATE TABLE would make one index of the two.

    See transformIndexConstraints in src/backend/parser/parse_utilcmd.c.
    """
    others = scene.desired.children.get(obj.parent, ()) if obj.parent else ()
    alike = [o for o in others if o.attributes.get("type") in INDEXED and o["_key"] == obj["_key"]]
    return obj is not min(alike, key=lambda key: (key["type"] != "p", key.name))


def _shares_name(obj: Object, scene: Scene) -> bool:
    """Whether another table of the schema has a constraint so named: PostgreSQL then makes up another name."""
    key = (obj.address.type, obj.name)
    others = {*scene.live.namesakes.get(key, ()), *scene.desired.namesakes.get(key, ())} - {obj.address}
    return any(other.names[0] == obj.address.names[0] for other in others)


def _with_column(obj: Object, scene: Scene) -> bool:
    """Whether a NOT NULL is written into the definition of its column."""
    column = scene.desired[obj.parent] if obj.parent else obj
    return not (column["_typed"] or brought(column, scene) or not_null.needs_levels(obj, scene))


def _online(obj: Object, scene: Scene) -> list[Step]:
    """Statements that read the rows without keeping others from them; none where PostgreSQL has no such."""
    if obj["type"] in ("p", "u") and not obj["_partitioned"] and obj["_index_definition"]:
        name = quote_ident(working_name(obj, scene))
        key = f"{'PRIMARY KEY' if obj['type'] == 'p' else 'UNIQUE'} USING INDEX {name}{timing(obj)}"
        add = _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {key}")
        return [build(obj, obj["_index_definition"], scene), add]
    if obj["type"] in INDEXED or not obj["enforced"] or not obj["validated"] or brought(obj, scene):
        return []
    if obj["type"] == NOT_NULL and obj.parent and scene.creates(obj.parent) and _with_column(obj, scene):
        return []
    if obj["type"] == FOREIGN_KEY and obj["_partitioned"] and scene.version < 180000:
        # NOT VALID is refused there, but those of partitions that are valid are taken over without a look at
        # the rows (tryAttachPartitionForeignKey() in src/backend/commands/tablecmds.c).
        ahead = [step for part in _parts(obj, scene) for step in _prepared(part, scene)]
        return [*ahead, _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {definition(obj)}")]
    add = _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {definition(obj)} NOT VALID")
    return [*_ahead(obj, scene, " NOT VALID"), add, _validate(obj, scene)]


def _ahead(obj: Object, scene: Scene, ending: str = "") -> list[Step]:
    """Statements for the levels below, where this one would come otherwise than they are to have it."""
    if obj["type"] == NOT_NULL:
        return not_null.ahead(obj, scene, ending)
    if obj["type"] != CHECK:
        return []
    return [_declared(check, ending) for check in checks_ahead(obj, scene)]


def _parts(obj: Object, scene: Scene) -> Iterator[Object]:
    """The copies of a foreign key in partitions that have rows."""
    for edge in scene.desired.attached.get(obj.address, ()):
        part = scene.desired[edge.dependent]
        if part["_partitioned"]:
            yield from _parts(part, scene)
        elif scene.online(part):
            yield part


def _prepared(obj: Object, scene: Scene) -> list[Step]:
    """What makes the constraint before that of the parent; an earlier run may have come half the way."""
    add = _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {definition(obj)} NOT VALID")
    add = replace(add, placement=Placement.APART, phase=Phase.PREPARE)
    validate = replace(_validate(obj, scene), phase=Phase.PREPARE)
    return [add, validate] if scene.creates(obj.address) else [validate]


def _offline(obj: Object, scene: Scene) -> tuple[Work, ...]:
    """What PostgreSQL does with the rows for a constraint that is added at once, while others wait."""
    if not scene.shared(obj):
        return ()
    if obj["type"] in INDEXED:
        return (offline(obj["_relation"], "builds an index over"),)
    if not obj["enforced"] or not obj["validated"]:
        return ()
    return (scan(obj["_relation"], *(["SHARE ROW EXCLUSIVE"] if obj["type"] == FOREIGN_KEY else [])),)


def _index_steps(old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step]:
    """Statements for what belongs to the index of a key."""
    if new["type"] not in INDEXED:
        return []
    steps = index_settings.altered(old, new, changed, new["_index"], scene)
    return [*steps, _index_comment(new)] if "index_comment" in changed else steps


def _table(obj: Object, clause: str, *work: Work) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {clause}", work=work)


def _declared(obj: Object, ending: str = "") -> Step:
    """It merges with the inherited one, and stays when that goes."""
    ending = ending if obj["validated"] and obj["enforced"] else ""
    return _table(obj, f"ADD CONSTRAINT {obj['_quoted']} {definition(obj)}{ending}")


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
    return attach(obj, obj["_index"])


def _index_comment(obj: Object) -> Step:
    text = "NULL" if obj["index_comment"] is None else quote_literal(obj["index_comment"])
    return Step(f"COMMENT ON INDEX {obj['_index']} IS {text}")
