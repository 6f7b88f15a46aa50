"""Domains (`pg_type.typtype` d); their constraints are objects of their own."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.kinds.domain_obstacles import narrowed, nulls_in, read_for
from novaops.kinds.kind import Part, Phase, Risk, Scene, Step
from novaops.kinds.type import Type, nested


class Domain(Type):
    name = "domain"
    swap = True

    def keyword(self, obj: Object) -> str:
        return "DOMAIN"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        clauses = [f"COLLATE {obj['collation']}"] if obj["collation"] else []
        clauses += [f"DEFAULT {obj['default']}"] if obj["default"] else []
        clauses += ["NOT NULL"] if obj["not_null"] else []
        clauses += [part.sql for part in parts]
        body = "".join(f"\n    {clause}" for clause in clauses)
        return [Step(f"CREATE DOMAIN {obj.identity} AS {obj['base_type']}{body}")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed - {"default", "not_null"} or (new["not_null"] > old["not_null"] and nested(old, scene)):
            return None
        head = f"ALTER DOMAIN {new.identity}"
        steps = []
        if "default" in changed:
            steps.append(
                Step(f"{head} SET DEFAULT {new['default']}")
                if new["default"]
                else Step(f"{head} DROP DEFAULT", phase=Phase.RELEASE)
            )
        if "not_null" in changed:
            read = read_for(new.address, scene) if new["not_null"] else ()
            steps.append(Step(f"{head} {'SET' if new['not_null'] else 'DROP'} NOT NULL", work=read))
        return steps

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return nulls_in(new, scene) if new["not_null"] else []

    def value_risks(self, old: Object, after: Object, scene: Scene) -> list[Risk]:
        return narrowed(old, after, scene)
