"""Constraints of domains (`pg_constraint.contypid`): CHECK, and from PostgreSQL 17 on NOT NULL."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds.domain_obstacles import disallowed, read_for
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.type import nested


class DomainConstraint(Kind):
    name = "domain constraint"
    types = ("domain constraint",)
    named_after = True
    rank = 21
    joined = True

    def keyword(self, obj: Object) -> str:
        return "CONSTRAINT"

    def target(self, obj: Object) -> str:
        return f"CONSTRAINT {obj['_name']} ON DOMAIN {obj['_domain']}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        add = f"ALTER DOMAIN {obj['_domain']} ADD {_definition(obj)}"
        return [Step(add, work=read_for(obj.parent, scene)) if obj["validated"] else Step(f"{add} NOT VALID")]

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        return _definition(obj)

    def joins(self, obj: Object, scene: Scene) -> bool:
        return bool(obj["validated"])

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed == {"validated"} and new["validated"] and not self.remakes(new, scene):
            validate = f"ALTER DOMAIN {new['_domain']} VALIDATE CONSTRAINT {new['_name']}"
            return [Step(validate, work=read_for(new.parent, scene))]
        return None

    def missing(self, obj: Object) -> str:
        return "values that violate it are accepted"

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        return [Step(f"ALTER DOMAIN {obj['_domain']} DROP CONSTRAINT {obj['_name']}")]

    def rename(self, obj: Object, name: str) -> list[Step]:
        rename = f"RENAME CONSTRAINT {obj['_name']} TO {quote_ident(name)}"
        return [Step(f"ALTER DOMAIN {obj['_domain']} {rename}")]

    def remakes(self, obj: Object, scene: Scene) -> list[Address]:
        domain = scene.live.objects.get(obj.parent) if obj.parent and obj["validated"] else None
        return [domain.address] if domain and nested(domain, scene) else []

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return disallowed(new, scene)


def _definition(obj: Object) -> str:
    clause = f"CHECK ({obj['expression']})" if obj["expression"] else "NOT NULL"
    return f"CONSTRAINT {obj['_name']} {clause}"
