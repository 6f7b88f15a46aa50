"""Objects of the server or an extension on which other privileges were granted than they came with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.kinds.grants import grants
from novaops.kinds.kind import Part, Scene, Step
from novaops.kinds.privileges_only import PrivilegesOnly


class SuppliedObject(PrivilegesOnly):
    """Only privileges are compared, with `pg_init_privs` as what they are by themselves."""

    name = "supplied object"
    types = ()
    renames = False
    rank = 16
    acl_type = ""  # of several types: the query itself says what the defaults are
    supplied = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        return []

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        where, owner = self.grant_target(obj), obj.owner or ""
        return [Step(sql) for sql in grants(where, self.held(obj), self.initial(obj), owner)]

    def holding(self, obj: Object, privileges: frozenset[Privilege]) -> Object:
        return replace(obj, privileges=privileges)

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return obj["_columns"], obj["_target"]
