"""What an index has beside its definition, be it one of its own or that of a constraint; not a kind itself.

The objects have the facts `_relation` and `_quoted`, under which their table knows them.
"""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds import storage_parameters
from novaops.kinds.kind import Phase, Scene, Step
from novaops.kinds.work import Work, rewrite


def statistics(obj: Object, index: str) -> list[Step]:
    """Statements for the statistics targets of a new one."""
    return [_target(index, column, target) for column, target in sorted((obj["statistics"] or {}).items())]


def marks(obj: Object) -> list[Step]:
    """Statements for what is said of it at its table."""
    steps = [_table(obj, f"CLUSTER ON {obj['_quoted']}")] if obj["clustered"] else []
    return [*steps, _replica_identity(obj)] if obj["replica_identity"] else steps


def altered(old: Object, new: Object, changed: frozenset[str], index: str, scene: Scene) -> list[Step]:
    """Statements for what differs, of the index of that name."""
    steps = [_index(index, clause) for clause in storage_parameters.altered(old, new)]
    if "tablespace" in changed:
        moved = rewrite(new["_relation"], index)
        steps.append(_index(index, f"SET TABLESPACE {new['tablespace'] or 'pg_default'}", moved))
    if "statistics" in changed:
        # All of them: they are lost when the type of a column changes.
        before, after = old["statistics"] or {}, new["statistics"] or {}
        columns = sorted(before.keys() | after.keys())
        steps += [_target(index, column, after.get(column, -1)) for column in columns]
        steps += [_index(index, f"DEPENDS ON EXTENSION {quote_ident(e)}") for e in sorted(new.extensions)]
    if "parent_index" in changed and new["parent_index"]:
        steps.append(attach(new, index))
    if "clustered" in changed:
        steps += _cluster(new, scene)
    if "replica_identity" in changed and new["replica_identity"]:
        steps.append(_replica_identity(new))
    return steps


def attach(obj: Object, index: str) -> Step:
    # Nothing happens when attaching the table has attached its index already.
    return Step(f"ALTER INDEX {obj['parent_index']} ATTACH PARTITION {index}", phase=Phase.FINISH)


def forgetful(obj: Object) -> frozenset[str]:
    """Effects that it feels: PostgreSQL makes it again by itself, but forgets statistics targets and extensions.

    See ATPostAlterTypeParse() in src/backend/commands/tablecmds.c.
    """
    return frozenset({"column type"} if obj["statistics"] or obj.extensions else ())


def _cluster(obj: Object, scene: Scene) -> list[Step]:
    """Set the cluster mark, or take it away where no other index of the table is to have it."""
    if obj["clustered"]:
        return [_table(obj, f"CLUSTER ON {obj['_quoted']}")]
    others = scene.desired.children.get(obj.parent, ()) if obj.parent else ()
    if any(o.attributes.get("clustered") for o in others):
        return []
    return [_table(obj, "SET WITHOUT CLUSTER")]


def _replica_identity(obj: Object) -> Step:
    return _table(obj, f"REPLICA IDENTITY USING INDEX {obj['_quoted']}")


def _table(obj: Object, clause: str) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} {clause}")


def _index(index: str, clause: str, *work: Work) -> Step:
    return Step(f"ALTER INDEX {index} {clause}", work=work)


def _target(index: str, column: str, target: int) -> Step:
    # ALTER INDEX goes down to what is attached, and has no ONLY.
    return Step(f"ALTER TABLE ONLY {index} ALTER COLUMN {column} SET STATISTICS {target}")
