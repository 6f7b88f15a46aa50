"""Materialized views (`pg_class.relkind` m)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds import storage_parameters
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.query import with_columns
from novaops.kinds.reach import any_row
from novaops.kinds.view_rights import rights_changed
from novaops.kinds.words import REPLICA_IDENTITY
from novaops.kinds.work import Work, offline, rewrite

REFILLED = "runs the query again for"


class MaterializedView(Kind):
    name = "materialized view"
    types = ("materialized view",)
    rank = 51
    words = {"replica_identity": REPLICA_IDENTITY}
    locks = 7  # itself, its types and rule, its TOAST table and the index of that
    acl_type = "r"
    owned = True
    evaluates = True
    data = True
    rows = True
    refuses = frozenset({"column type", "attribute type"})

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        columns, query = with_columns(obj["definition"])
        text = f"CREATE MATERIALIZED VIEW {obj.identity}{columns}"
        if obj["access_method"]:
            text += f"\nUSING {obj['access_method']}"
        if parameters := storage_parameters.given(obj):
            text += f"\n{parameters}"
        if obj["tablespace"]:
            text += f"\nTABLESPACE {obj['tablespace']}"
        text += f" AS\n{query}"
        identity = [_replica_identity(obj)] if obj["replica_identity"] not in ("d", "i") else []
        if not _filled(obj, scene):
            return [Step(f"{text}\nWITH NO DATA"), *identity]
        # Its readers wait for the old one, which was dropped in the same transaction.
        again = obj.address in scene.busy
        return [Step(text, work=(offline(obj.identity, REFILLED),) if again else ()), *identity]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "definition" in changed:
            return None
        steps = []
        if "access_method" in changed:
            steps.append(
                _alter(new, f"SET ACCESS METHOD {new['access_method'] or 'heap'}", rewrite(new.identity))
            )
        if "tablespace" in changed:
            steps.append(
                _alter(new, f"SET TABLESPACE {new['tablespace'] or 'pg_default'}", rewrite(new.identity))
            )
        if "replica_identity" in changed and new["replica_identity"] != "i":
            steps.append(_replica_identity(new))
        return steps + [_alter(new, clause) for clause in storage_parameters.altered(old, new)]

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return "", f"TABLE {obj.identity}"

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names), ("type", *obj.address.names)]

    def missing(self, obj: Object) -> str:
        return "queries of it fail, and who was granted access has none"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        # One that is rebuilt is filled again by its query.
        if new is not None or old.address in scene.desired or not old["_populated"]:
            return []
        return [
            Risk(
                "data-loss",
                old.identity,
                "rows",
                f"SELECT EXISTS (SELECT FROM {old.identity})",
                f"SELECT count(*), count(*) FROM {old.identity}",
            )
        ]

    def reached(self, obj: Object) -> str | None:
        return any_row(obj.identity)

    def instead(self, old: Object, new: Object, scene: Scene) -> list[Risk]:
        return list(rights_changed(old, new, False, scene)) if old.kind == "view" else []


def _filled(obj: Object, scene: Scene) -> bool:
    """Whether it holds rows when it is there; a rebuilt one keeps the state it was in."""
    before = scene.live.objects.get(obj.address)
    return bool((before or obj)["_populated"])


def _replica_identity(obj: Object) -> Step:
    return _alter(obj, f"REPLICA IDENTITY {REPLICA_IDENTITY[obj['replica_identity']]}")


def _alter(obj: Object, clause: str, *work: Work) -> Step:
    return Step(f"ALTER MATERIALIZED VIEW {obj.identity} {clause}", work=work)
