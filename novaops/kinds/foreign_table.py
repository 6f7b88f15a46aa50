"""Foreign tables (`pg_foreign_table`); their columns and constraints are objects of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.foreign_options import altered, described, given, secrets
from novaops.kinds.inheritance import PLACE, comes_to_be_inherited, detach
from novaops.kinds.kind import Kind, Part, Phase, Risk, Scene, Step
from novaops.kinds.partition_obstacles import leaving

IN_PLACE = {"options", "parents", *PLACE}


class ForeignTable(Kind):
    name = "foreign table"
    types = ("foreign table",)
    rank = 41
    locks = 3  # itself, its row and array type
    acl_type = "r"
    owned = True
    late = frozenset({"a"})  # a partition's dependency on its parent: ATTACH makes it

    def keyword(self, obj: Object) -> str:
        return "FOREIGN TABLE"

    def grant_target(self, obj: Object) -> tuple[str, str]:
        return "", f"TABLE {obj.identity}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        body = ",\n".join(f"    {part.sql}" for part in parts)
        parents = f"\nINHERITS ({', '.join(obj['parents'])})" if obj["parents"] else ""
        options = obj["options"]
        return [
            Step(
                f"CREATE {self.target(obj)} (\n{body}\n){parents}\nSERVER {obj['server']}{given(options)}",
                secrets=secrets(options),
            )
        ]

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        return [_attach(obj)] if obj["partition_of"] else []

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed - IN_PLACE or ("parents" in changed and comes_to_be_inherited(new, scene)):
            return None  # no rows are in the way
        head = f"ALTER {self.target(new)}"
        steps = []
        if changed & PLACE and old["partition_of"]:
            exposes = f"its rows are missing from {old['partition_of']}" if new["partition_of"] else None
            steps.append(Step(detach(old), phase=Phase.RELEASE, exposes=exposes))
        left = [parent for parent in old["parents"] if parent not in new["parents"]]
        steps += [Step(f"{head} NO INHERIT {parent}", phase=Phase.RELEASE) for parent in left]
        if "options" in changed:
            options = altered(old["options"], new["options"])
            steps.append(Step(f"{head}{options}", secrets=secrets(new["options"])))
        joined = [parent for parent in new["parents"] if parent not in old["parents"]]
        steps += [Step(f"{head} INHERIT {parent}", phase=Phase.FINISH) for parent in joined]
        if changed & PLACE and new["partition_of"]:
            steps.append(_attach(new, phase=Phase.FINISH))
        return steps

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return [] if new is None else leaving(old, new)

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        if lost.address.type == "table" and obj["partition_of"] == lost.identity:
            return frozenset({"partition_of"})
        if lost.address.type in (*self.types, "table") and lost.identity in obj["parents"]:
            return frozenset({"parents"})
        return None

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names), ("type", *obj.address.names)]

    def describe(self, old: Object, new: Object, attribute: str) -> str:
        return described(old, new) if attribute == "options" else super().describe(old, new, attribute)


def _attach(obj: Object, phase: Phase = Phase.MAIN) -> Step:
    bound = obj["partition_bound"]
    return Step(
        f"ALTER TABLE ONLY {obj['partition_of']} ATTACH PARTITION {obj.identity} {bound}", phase=phase
    )
