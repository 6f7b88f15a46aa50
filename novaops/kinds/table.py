"""Tables, plain and partitioned (`pg_class.relkind` r and p)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import storage_parameters
from novaops.kinds.inheritance import PLACE, comes_to_be_inherited, detach, detached
from novaops.kinds.kind import Kind, Part, Phase, Risk, Scene, Step
from novaops.kinds.moved_rows import fill, set_aside
from novaops.kinds.partition_obstacles import homeless, leaving, misplaced, read_to_attach, referred_to
from novaops.kinds.reach import any_row, publishes_changes, shut_by
from novaops.kinds.words import PERSISTENCE, REPLICA_IDENTITY
from novaops.kinds.work import Work, offline, rewrite

ROW_SECURITY = {
    (False, False): ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"],
    (True, False): ["ENABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"],
    (True, True): ["ENABLE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"],
    (False, True): ["DISABLE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"],
}
IN_PLACE = {
    "persistence", "options", "toast_options", "tablespace", "access_method", "row_security", "force_row_security",
    "replica_identity", "parents", "inherited_names", "of_type", *PLACE,
}  # fmt: skip


UNLOGGED = "would be gone after a crash, and from every standby"
COPIED = "would be copied into a new table, while everybody else waits"


class Table(Kind):
    name = "table"
    types = ("table",)
    rank = 40
    locks = 5  # itself, its row and array type, its TOAST table and the index of that
    acl_type = "r"
    owned = True
    data = True
    rows = True
    swap = True
    refuses = frozenset({"attributes"})
    words = {"persistence": PERSISTENCE, "replica_identity": REPLICA_IDENTITY}
    late = frozenset({"a"})  # a partition's dependency on its parent: ATTACH makes it

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        head = "CREATE UNLOGGED TABLE" if obj["persistence"] == "u" else "CREATE TABLE"
        body = f" OF {obj['of_type']}" if obj["of_type"] else ""
        if parts or not obj["of_type"]:
            body += _body(parts)
        tail = ""
        if obj["parents"]:
            tail += f"\nINHERITS ({', '.join(obj['parents'])})"
        if obj["partition_key"]:
            tail += f"\nPARTITION BY {obj['partition_key']}"
        if obj["access_method"]:
            tail += f"\nUSING {obj['access_method']}"
        if parameters := storage_parameters.given(obj):
            tail += f"\n{parameters}"
        if obj["tablespace"]:
            tail += f"\nTABLESPACE {obj['tablespace']}"
        steps = [Step(f"{head} {obj.identity}{body}{tail}")]
        if obj["row_security"]:
            steps.append(_alter(obj, "ENABLE ROW LEVEL SECURITY"))
        if obj["force_row_security"]:
            steps.append(_alter(obj, "FORCE ROW LEVEL SECURITY"))
        if obj["replica_identity"] not in ("d", "i"):
            steps.append(_alter(obj, _replica_identity(obj)))
        return steps

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        return [_attach(obj, scene)] if obj["partition_of"] else []

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed - IN_PLACE or ("of_type" in changed and not _in_order(new, scene)):
            return None
        if "parents" in changed and new.address not in scene.busy and comes_to_be_inherited(new, scene):
            return None  # without rows nothing is lost by it
        steps = []
        if changed & PLACE and old["partition_of"]:
            # One that comes back to its parent takes part in all that changes there before.
            phase = Phase.RELEASE if detached(new, scene) else Phase.MAIN
            exposes = f"its rows are missing from {old['partition_of']}" if new["partition_of"] else None
            steps.append(Step(detach(old), phase=phase, exposes=exposes))
            steps += _inherited_names(new, scene)
        if "of_type" in changed and old["of_type"]:
            # In between, type and columns change each for itself.
            steps.append(Step(_alter(new, "NOT OF").sql, phase=Phase.RELEASE))
        if "of_type" in changed and new["of_type"]:
            steps.append(Step(_alter(new, f"OF {new['of_type']}").sql, phase=Phase.FINISH))
        # A partitioned table stores nothing.
        moved = () if new["partition_key"] else (rewrite(new.identity),)
        if "persistence" in changed:
            steps.append(_alter(new, "SET UNLOGGED" if new["persistence"] == "u" else "SET LOGGED", *moved))
        if "access_method" in changed:
            # DEFAULT (PostgreSQL 17) leaves a partitioned table without one.
            default = "DEFAULT" if new["partition_key"] else "heap"
            steps.append(_alter(new, f"SET ACCESS METHOD {new['access_method'] or default}", *moved))
        if "tablespace" in changed:
            steps.append(_alter(new, f"SET TABLESPACE {new['tablespace'] or 'pg_default'}", *moved))
        if changed & {"options", "toast_options"}:
            steps += [_alter(new, clause) for clause in storage_parameters.altered(old, new)]
        if changed & {"row_security", "force_row_security"}:
            before = ROW_SECURITY[old["row_security"], old["force_row_security"]]
            after = ROW_SECURITY[new["row_security"], new["force_row_security"]]
            steps += [_alter(new, clause) for clause in after if clause not in before]
        if "replica_identity" in changed and new["replica_identity"] != "i":
            steps.append(_alter(new, _replica_identity(new)))
        if "parents" in changed:
            # A parent that is made anew is left and joined again.
            again = {scene.live[a].identity for a in scene.replaced if a.type == "table"}
            left = [p for p in old["parents"] if p not in new["parents"] or p in again]
            joined = [p for p in new["parents"] if p not in old["parents"] or p in again]
            for parent in left:
                exposes = f"its rows are missing from {parent}" if parent in new["parents"] else None
                text = _alter(new, f"NO INHERIT {parent}").sql
                steps.append(Step(text, phase=Phase.RELEASE, exposes=exposes))
            steps += [Step(_alter(new, f"INHERIT {p}").sql, phase=Phase.FINISH) for p in joined]
        if changed & PLACE and new["partition_of"]:
            steps += [*_copied_again(new, scene), _attach(new, scene)]
        elif new["partition_of"] and (renamed := _inherited_names(new, scene)):
            back = [*_copied_again(new, scene), _attach(new, scene)]
            steps += [Step(detach(new), phase=Phase.FINISH), *renamed, *back]
        return steps

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        return set_aside(obj, scene)

    def fill(self, old: Object, new: Object, scene: Scene) -> list[Step]:
        return fill(old, new, scene)

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if lost.kind == self.name and obj["partition_of"] == lost.identity:
            return frozenset({"partition_of"})
        if lost.kind == self.name and lost.identity in obj["parents"]:
            return frozenset({"parents"})
        if lost.address.type == "type" and obj["of_type"] == lost.identity:
            return frozenset({"of_type"})
        return None

    def refused(self, obj: Object) -> frozenset[str]:
        return self.refuses if obj["of_type"] else frozenset()

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names), ("type", *obj.address.names)]

    def likeness(self, obj: Object, snapshot: Snapshot) -> Mapping[str, Any]:
        columns = (c for c in snapshot.children.get(obj.address, ()) if c.address.type == "table column")
        return {**obj.attributes, "columns": sorted((c.name, str(c["type"])) for c in columns)}

    def missing(self, obj: Object) -> str:
        return "queries of it fail"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        risks = []
        source = old.identity if old["partition_key"] else f"ONLY {old.identity}"
        exists = f"SELECT EXISTS (SELECT FROM {source})"
        count = f"SELECT count(*), count(*) FROM {source}"
        if old.address in scene.moved:
            risks.append(Risk("offline", old.identity, "rows", exists, count, says=COPIED))
        elif new is None and not (old["partition_key"] or _within_moved(old, scene)):
            risks.append(Risk("data-loss", old.identity, "rows", exists, count, lock=old.identity))
        if new is None:
            return risks
        if new["persistence"] == "u" and old["persistence"] != "u":
            risks.append(Risk("behaviour", old.identity, "rows", exists, count, says=UNLOGGED))
        if old["row_security"] and not new["row_security"]:
            risks.append(Risk("row-security", old.identity, "row-level security", exists))
        elif old["row_security"] and old["force_row_security"] > new["force_row_security"]:
            risks.append(Risk("row-security", old.identity, "row-level security for its owner", exists))
        if old["replica_identity"] != new["replica_identity"]:
            risks.append(
                Risk("behaviour", old.identity, "the replica identity", publishes_changes(old.identity))
            )
        return [*risks, *shut_by(old, new, exists, scene), *leaving(old, new)]

    def reached(self, obj: Object) -> str | None:
        return any_row(obj.identity)

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return [*misplaced(new, scene), *homeless(new, scene), *referred_to(new, scene)]

    def beyond(self, old: Object, new: Object) -> Mapping[str, str]:
        if new["detach_pending"] and not old["detach_pending"]:
            stays = "stays where it is: only DETACH PARTITION … CONCURRENTLY leaves off half-way"
            return {"detach_pending": f"{new.identity} {stays}"}
        # A parent that is left and joined again is the last one, and leaves all columns declared here.
        if old["parents"] == new["parents"] or sorted(old["parents"]) != sorted(new["parents"]):
            return {}
        return {"parents": f"{new.identity} goes on inheriting in the order {', '.join(old['parents'])}"}


def _within_moved(obj: Object, scene: Scene) -> bool:
    """Whether its rows, if it has some, are those of a partitioned table that is made anew and keeps them."""
    return obj.address in scene.busy and _below_moved(obj, scene)


def _below_moved(obj: Object, scene: Scene) -> bool:
    parents = (e.referenced for e in scene.live.dependencies.get(obj.address, ()) if "a" in e.types)
    tables = (scene.live[a] for a in parents if a.type == "table" and obj["partition_of"])
    return any(table.address in scene.moved or _below_moved(table, scene) for table in tables)


def _inherited_names(obj: Object, scene: Scene) -> list[Step]:
    """An inherited NOT NULL has the name of its first parent's and can be renamed only between two parents."""
    steps = []
    for column in scene.live.children.get(obj.address, ()):
        after = scene.desired.objects.get(column.address)
        if after is None or scene.creates(after.address):
            continue
        if column.attributes.get("not_null") and after.attributes.get("not_null"):
            before, name = column["_not_null_name"], after["_not_null_name"]
            if before and name and before != name:
                # Earlier, the name would be taken where the new parent's is made up.
                rename = _alter(obj, f"RENAME CONSTRAINT {before} TO {name}")
                steps.append(Step(rename.sql, phase=Phase.FINISH))
    return steps


def _in_order(new: Object, scene: Scene) -> bool:
    """Whether the columns that stay come first in the new type as well: OF wants the type's order."""
    kept = _columns(scene.live, new, scene.desired)
    return not new["of_type"] or _columns(scene.desired, new, scene.desired)[: len(kept)] == kept


def _columns(snapshot: Snapshot, table: Object, among: Snapshot) -> list[Address]:
    """The table's columns in their order, less those that are not `among` the other objects."""
    children = snapshot.children.get(table.address, ())
    columns = [c for c in children if c.address.type == "table column" and c.address in among]
    return [c.address for c in sorted(columns, key=lambda column: column["_position"])]


def _alter(obj: Object, clause: str, *work: Work) -> Step:
    return Step(f"ALTER TABLE {obj.identity} {clause}", work=work)


def _attach(obj: Object, scene: Scene) -> Step:
    partition = f"ATTACH PARTITION {obj.identity} {obj['partition_bound']}"
    attach = f"ALTER TABLE ONLY {obj['partition_of']} {partition}"
    return Step(attach, frozenset({"attach"}), phase=Phase.FINISH, work=read_to_attach(obj, scene))


def _copied_again(obj: Object, scene: Scene) -> list[Step]:
    """Drops of the constraints of a table that ATTACH PARTITION copies from its parent, without a look at its own."""
    old, steps = scene.live[obj.address], []
    stayed = old["partition_of"] == obj["partition_of"] and not detached(obj, scene)
    for child in scene.desired.children.get(obj.address, ()):
        there = child.address in scene.live and not scene.drops(child.address)
        if child.facts.get("operators") and child["parent_index"] and (there or stayed):
            drop = _alter(
                obj, f"DROP CONSTRAINT {child['_quoted']}", offline(obj.identity, "builds an index over")
            )
            steps.append(Step(drop.sql, phase=Phase.FINISH, work=drop.work))
    return steps


def _body(parts: Sequence[Part]) -> str:
    return " (\n" + ",\n".join(f"    {part.sql}" for part in parts) + "\n)" if parts else " ()"


def _replica_identity(obj: Object) -> str:
    return f"REPLICA IDENTITY {REPLICA_IDENTITY[obj['replica_identity']]}"
