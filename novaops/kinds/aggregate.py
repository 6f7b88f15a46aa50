"""Aggregates (`pg_aggregate` and their rows of `pg_proc`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_qualified
from novaops.kinds.kind import Kind, Part, Scene, Step

PARAMETERS = (
    "sfunc", "stype", "sspace", "finalfunc", "finalfunc_extra", "finalfunc_modify", "combinefunc", "serialfunc",
    "deserialfunc", "initcond", "msfunc", "minvfunc", "mstype", "msspace", "mfinalfunc", "mfinalfunc_extra",
    "mfinalfunc_modify", "minitcond", "sortop", "parallel", "hypothetical",
)  # fmt: skip


class Aggregate(Kind):
    name = "aggregate"
    types = ("aggregate",)
    words = {"kind": {"n": "normal", "o": "ordered-set", "h": "hypothetical-set"}}
    rank = 32
    acl_type = "f"
    owned = True

    def target(self, obj: Object) -> str:
        # DROP AGGREGATE, unlike pg_identify_object(), writes "no arguments" as (*).
        return (
            f"AGGREGATE {obj.identity if obj.address.args else quote_qualified(*obj.address.names) + '(*)'}"
        )

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return "", f"FUNCTION {obj.identity}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return [Step(f"CREATE {_aggregate(obj)}")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed & {"kind", "arguments", "result"}:
            return None
        return [Step(f"CREATE OR REPLACE {_aggregate(new)}")]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("routine", *obj.address.names, *obj.address.args)]


def _aggregate(obj: Object) -> str:
    name = quote_qualified(*obj.address.names)
    clauses = []
    for parameter in PARAMETERS:
        value = obj[parameter]
        if value is not None:
            clauses.append(parameter.upper() if value is True else f"{parameter.upper()} = {value}")
    return f"AGGREGATE {name}({obj['arguments'] or '*'}) (\n    " + ",\n    ".join(clauses) + "\n)"
