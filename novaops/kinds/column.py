"""Columns (`pg_attribute`) of tables; those of views and foreign tables have settings of their own too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.kinds import not_null
from novaops.kinds.column_obstacles import unacceptable
from novaops.kinds.column_settings import (
    COMPRESSION,
    TYPE,
    compression,
    not_null_comment,
    only,
    set_back,
    settings,
)
from novaops.kinds.column_work import added, retyped
from novaops.kinds.foreign_options import given
from novaops.kinds.identity import (
    IDENTITY,
    added_beside_heirs,
    beside_heirs,
    identity,
    identity_steps,
    unnumbered,
)
from novaops.kinds.inheritance import (
    brought,
    goes_along,
    half_detached,
    in_partition_key,
    inheriting,
    leaves_parent,
    live,
    newly_made,
    origin,
    taken,
)
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.levels import (
    arriving_default,
    created_ahead,
    default_undone,
    is_alike_below,
    is_in_deep_tree,
    loses_names,
    own_not_null,
)
from novaops.kinds.reach import any_row
from novaops.kinds.sequence_position import starts_over
from novaops.kinds.sequence_takeover import left_behind
from novaops.kinds.type_change import lossless, narrowing, using, zoned
from novaops.kinds.words import PERSISTENCE, STORAGE
from novaops.kinds.work import rewrite

GENERATED = {"s": "STORED", "v": "VIRTUAL"}
# A change of these reaches the children of a table along with it.
RECURSIVE = {"type", "collation", "not_null", "generated"}
# These cannot change in a partition key: the partitioned table is made anew, and the partitions change.
KEPT = TYPE


class Column(Kind):
    name = "column"
    types = ("table column", "foreign table column", "view column", "materialized view column")
    rank = 41
    acl_type = "c"
    evaluates = True
    data = True
    joined = True
    words = {
        "storage": STORAGE,
        "compression": COMPRESSION,
        "generated": GENERATED,
        "identity_generation": IDENTITY,
        "identity_persistence": PERSISTENCE,
    }

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        if beside_heirs(obj, scene):
            return added_beside_heirs(obj, self.inline(unnumbered(obj), parts, scene), scene)
        add = f"ALTER TABLE {obj['_relation']} ADD COLUMN {self.inline(obj, parts, scene)}"
        return [Step(add, work=added(obj, scene))]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        if self.produced(obj, scene):
            constraint = f"CONSTRAINT {obj['_not_null_name']} NOT NULL {obj['_quoted']}"
            return constraint if obj["not_null_besides"] else None
        words = [obj["_quoted"], obj["type"]]
        if obj["compression"]:
            words.append(f"COMPRESSION {COMPRESSION[obj['compression']]}")
        if obj["fdw_options"]:
            words.append(given(obj["fdw_options"]).strip())
        if obj["collation"]:
            words.append(f"COLLATE {obj['collation']}")
        if obj["generated"] and not _generated_by_parent(obj, scene):
            words.append(
                f"GENERATED ALWAYS AS ({obj['generation_expression']}) {GENERATED[obj['generated']]}"
            )
        if obj["identity_options"] is not None:
            words.append(identity(obj))
        words += [part.sql for part in parts]
        if default_undone(obj, scene):
            words.append("DEFAULT NULL")
        # What comes with INHERITS comes by itself; INHERIT wants it to be there.
        if obj["not_null"] and (obj["not_null_besides"] != "" or not newly_made(obj, scene)):
            words.append(not_null.clause(obj))
        return " ".join(words)

    def summary(self, obj: Object) -> str:
        return str(obj["type"] or "")

    def joins(self, obj: Object, scene: Scene) -> bool:
        return not obj["_view"]

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        """What no column definition says, and where an inherited column differs from what it inherits."""
        bare = {"storage": None, "statistics": None, "options": None, "fdw_options": None}
        if not self.produced(obj, scene):
            del bare["fdw_options"]
        steps = []
        source = origin(obj)
        if source is None and newly_made(obj, scene) and self.produced(obj, scene):
            # It came with the query of a view, or the type that the table is OF.
            if obj["compression"]:
                steps.append(compression(obj))
            if obj["not_null"]:
                steps.append(only(obj, "SET NOT NULL"))
        if newly_made(obj, scene) and obj["_partition"]:
            source = None
        if source is not None:
            parent = scene.desired[source]
            # The parent's may be set before or after INHERITS takes it over.
            bare["storage"] = None if obj["storage"] else parent["storage"]
            if obj["compression"] != parent["compression"]:
                steps.append(compression(obj))
            produced = self.produced(obj, scene)
            if produced and obj["not_null"] and not parent["not_null"] and scene.version < 180000:
                # The levels below are to have it, too.
                steps.append(_alter(obj, "SET NOT NULL"))
            if arriving_default(obj, scene) and _default(obj) not in scene.desired:
                steps.append(only(obj, "DROP DEFAULT"))
            if obj["generation_expression"] != parent["generation_expression"] and produced:
                steps.append(_expression(obj))
        changed = frozenset(name for name, value in bare.items() if obj[name] != value)
        steps += settings(bare, obj, changed)
        return steps if obj["not_null_comment"] is None else [*steps, not_null_comment(obj)]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        own = frozenset(name for name in changed if not _follows(old, new, name, scene))
        generation = _generation(old, new, own, scene)
        if generation is None or (changed & KEPT and in_partition_key(old, scene)):
            return None
        steps = []
        numbering = identity_steps(old, new, scene)
        # The limits of the sequence must be numbers of its type, before as after.
        narrower = lossless(new, old) and not lossless(old, new)
        if narrower:
            steps += numbering
        # What is computed takes no USING, what is computed no more may need it.
        steps += generation if "generated" in own else []
        if own & KEPT:
            steps.append(_type(old, new, scene))
        steps += generation if "generated" not in own else []
        if "not_null" in own and not any(own_not_null(new, side) for side in (scene.live, scene.desired)):
            steps += not_null.set_for_column(new, scene)
        if not narrower:
            steps += numbering
        if changed & {"not_null", "not_null_besides"}:
            steps += not_null.declared_besides(old, new, scene)
        if new["not_null"] and new["not_null_comment"] != not_null.comment_before(old, scene):
            steps.append(not_null_comment(new))
        own |= set_back(new, changed)
        if "compression" in own:
            steps.append(compression(new))
        return steps + settings(old.attributes, new, own)

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        heirs = inheriting(obj, scene)
        if all(goes_along(heir, scene) for heir in heirs):
            return [Step(f"ALTER TABLE {obj['_relation']} DROP COLUMN {obj['_quoted']}")]
        # With ONLY, the columns of the children become their own.
        only = Step(f"ALTER TABLE ONLY {obj['_relation']} DROP COLUMN {obj['_quoted']}")
        gone = [heir for heir in heirs if scene.drops(heir.address)]
        return [only, *(step for heir in gone for step in self.drop(heir, scene))]

    def rename(self, obj: Object, name: str) -> list[Step]:
        rename = f"RENAME COLUMN {obj['_quoted']} TO {quote_ident(name)}"
        return [Step(f"ALTER TABLE {obj['_relation']} {rename}")]

    def likeness(self, obj: Object, snapshot: Snapshot) -> Mapping[str, Any]:
        return {name: obj[name] for name in ("type", "collation", "generated", "generation_expression")}

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return f"({obj['_quoted']})", f"TABLE {obj['_relation']}"

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return (
            [("relation", obj.address.names[0], obj["identity_sequence"])] if obj["identity_sequence"] else []
        )

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if obj["generated"] or obj["type"] is None or in_partition_key(obj, scene):
            return None
        if lost.address.type == "type":
            return frozenset({"type"})
        return frozenset({"collation"}) if lost.address.type == "collation" else None

    def undergoes(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> frozenset[str]:
        # What its parent's statement does to it, PostgreSQL refuses for its own dependants too.
        brought = changed & KEPT and any(_follows(old, new, name, scene) for name in changed & KEPT)
        return frozenset({"column type"} if brought else ())

    def refused(self, obj: Object) -> frozenset[str]:
        # A generated column depends on the columns of its expression.
        return frozenset({"column type"}) if obj["generated"] else frozenset()

    def needs(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        source = origin(obj)
        # CREATE TABLE … INHERITS takes the default that the level above has.
        return [source, Address("default value", source.names)] if source else []

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        # It takes the settings that the level above has.
        source = origin(obj)
        return [source] if source and not (obj["_partition"] or obj["_local"]) else []

    def preceded_by(self, obj: Object, scene: Scene) -> Iterable[Address]:
        return created_ahead(obj, scene)

    def produced(self, obj: Object, scene: Scene) -> bool:
        if obj["_view"] or (obj["_typed"] and newly_made(obj, scene)):
            return True
        return taken(obj, scene) if live(obj, scene) else brought(obj, scene)

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        rebuilt = new is None and old.address in scene.desired
        computed = old["generated"] and not (rebuilt and not scene.desired[old.address]["generated"])
        if old["_view"] or old["_foreign"] or computed:
            return []
        if origin(old) and (new is not None or taken(old, scene)):
            return []
        if new is None:
            column, table = old["_quoted"], old["_relation"]
            exists = f"SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NOT NULL)"
            count = f"SELECT count({column}), count(*) FROM {table}"
            return [Risk("data-loss", old.identity, "values", exists, count, lock=table)]
        retyped = (narrowing(old, new), zoned(old, new, scene)) if old["type"] != new["type"] else ()
        return [*filter(None, retyped), *starts_over(old, new), *left_behind(old, new, scene)]

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return unacceptable(new, scene)

    def beyond(self, old: Object, new: Object) -> Mapping[str, str]:
        found = {}
        before, after = old["declared"], new["declared"]
        if before != after:
            kept = "both inherited and declared there" if before else "only inherited"
            found["declared"] = f"{new.identity} stays {kept}" if None not in (before, after) else ""
        before, after = old["not_null_besides"], new["not_null_besides"]
        if before and after is not None and before != after:
            found["not_null_besides"] = (
                f"NOT NULL of {new.identity} stays inherited and declared there as {before}"
            )
        elif after == "":
            found["not_null_besides"] = ""
        return found

    def reached(self, obj: Object) -> str | None:
        return None if obj["_foreign"] else any_row(obj["_relation"])

    def comment_target(self, obj: Object) -> str:
        return f"COLUMN {obj.identity}"


def _alter(obj: Object, clause: str, *effects: str) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} ALTER COLUMN {obj['_quoted']} {clause}", frozenset(effects))


def _default(column: Object) -> Address:
    return Address("default value", column.address.names)


def _follows(old: Object, new: Object, name: str, scene: Scene) -> bool:
    """Whether the change comes with the same one of the column that this one is inherited from."""
    source = origin(new)
    if source is None or source != origin(old) or source not in scene.live or source not in scene.desired:
        return False
    if half_detached(old, scene):
        return False
    if name.startswith("identity"):
        return bool(new["_partition"])
    if name == "not_null" and scene.version >= 180000:
        # A partition is made ready before a parent that is rebuilt takes it back.
        return source not in scene.replaced and not (old["not_null"] and leaves_parent(old, scene))
    remade = source in scene.replaced or (name in KEPT and in_partition_key(scene.live[source], scene))
    if name == "generation_expression" and not remade:
        above = scene.desired[source]
        return scene.live[source][name] != above[name] and is_alike_below(above, name, scene)
    if name not in RECURSIVE or remade:
        return False
    before, after = scene.live[source], scene.desired[source]
    return bool(after[name] == new[name]) and (before[name] != after[name] or old[name] == new[name])


def _type(old: Object, new: Object, scene: Scene) -> Step:
    clause = f"TYPE {new['type']}"
    if new["collation"]:
        clause += f" COLLATE {new['collation']}"
    # A generated column's values are computed anew, a foreign table's are elsewhere: both take no USING.
    cast = old["collation"] == new["collation"] or old["type"] != new["type"]
    converted = cast and not new["generated"] and not new["_foreign"]
    if converted and (value := using(old, new, scene)):
        clause += f" USING {value}"
    return replace(_alter(new, clause, "column type"), work=retyped(old, new, scene))


def _generation(old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
    """Statements for how the column is generated; None where it has to be made anew."""
    if not changed & {"generated", "generation_expression"}:
        return []
    if old["generated"] == "s" and not new["generated"]:
        if is_in_deep_tree(old, scene.live):
            return None
        return [_alter(new, "DROP EXPRESSION")] if "generated" in changed else []
    if old["generated"] != new["generated"] or scene.version < 170000 or "type" in changed:
        return None
    if loses_names(old, scene.live):
        return None
    return [_expression(new, whole=is_alike_below(new, "generation_expression", scene))]


def _expression(obj: Object, *, whole: bool = False) -> Step:
    """Another expression (PostgreSQL 17), for the `whole` tree where each level is to have the same.

    With ONLY, a level loses the inherited NOT NULL and CHECK of the column: they are made again by the statement
    for the parent alone (ATPostAlterTypeCleanup() in src/backend/commands/tablecmds.c).
    """
    clause = f"SET EXPRESSION AS ({obj['generation_expression']})"
    step = _alter(obj, clause) if whole else only(obj, clause)
    work = (rewrite(obj["_relation"]),) if obj["generated"] == "s" else ()
    return replace(step, effects=frozenset({"column expression"}), work=work)


def _generated_by_parent(obj: Object, scene: Scene) -> bool:
    """Whether CREATE TABLE takes the expression from the parent, and until PostgreSQL 15 from nowhere else."""
    source = origin(obj)
    if source is None or obj["_partition"] or not newly_made(obj, scene):
        return False
    return bool(scene.desired[source]["generated"]) and scene.version < 160000
