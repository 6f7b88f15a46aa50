"""Objects of the server or an extension on which other privileges were granted than they came with."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.kinds.grants import grants
from novaops.kinds.kind import Kind, Part, Scene, Step


class SuppliedObject(Kind):
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
        before, after = obj.privileges or frozenset(), obj.default_privileges or frozenset()
        return [Step(sql) for sql in grants(self.grant_target(obj), before, after, obj.owner or "")]

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return obj["_columns"], obj["_target"]
