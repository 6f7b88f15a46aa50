"""Sequences (`pg_sequence`), but for those of identity columns, which are made with their column (`identity_sequence`)."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Steps

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.db.sequence_options import catch_up, changed_clauses, clauses, moved, turned
from novaops.kinds.kind import Kind, Part, Phase, Risk, Scene, Step
from novaops.kinds.sequence_position import out_of_limits, starts_over
from novaops.kinds.sequence_takeover import takeovers_by, takeovers_from
from novaops.kinds.words import PERSISTENCE

NUMBERS = ("smallint", "integer", "bigint", "numeric")


class Sequence(Kind):
    name = "sequence"
    types = ("sequence",)
    named_after = True
    rank = 35
    acl_type = "s"
    owned = True
    shares_owner = True
    data = True
    words = {"persistence": PERSISTENCE}
    late = frozenset({"a"})  # the dependency on the owning column: OWNED BY makes it

    def create(self, obj: Object, parts: Steps[Part], scene: Scene) -> list[Step]:
        head = "CREATE UNLOGGED SEQUENCE" if obj["persistence"] == "u" else "CREATE SEQUENCE"
        options = clauses(obj["options"])
        if obj["data_type"] != "bigint":
            options.insert(0, f"AS {obj['data_type']}")
        return [Step(" ".join([head, obj.identity, *options]))]

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        if not obj["owned_by"]:
            return []
        steps = [Step(f"ALTER SEQUENCE {obj.identity} OWNED BY {obj['owned_by']}")]
        column = scene.desired.objects.get(Address("table column", tuple(obj["_owner_names"])))
        if column is None or scene.creates(column.address) or takeovers_by(obj, scene):
            return steps
        if column["type"] in NUMBERS:
            # It takes over a column that may hold values already.
            increment = obj["options"].get("increment", 1)
            table, name = column["_relation"], column["_quoted"]
            steps.append(Step(catch_up(obj.identity, table, name, obj["_start"], increment)))
        return steps

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        steps = []
        if "owned_by" in changed and old["owned_by"]:
            steps.append(Step(f"ALTER SEQUENCE {new.identity} OWNED BY NONE", phase=Phase.RELEASE))
        options = changed_clauses(old["options"], new["options"], old["_start"], new["_start"])
        steps += map(Step, moved(new.identity, old["options"], new["options"], old["_start"], new["_start"]))
        if "data_type" in changed and turned(old["options"], new["options"]):
            # Together, AS would take the limits of a rising sequence.
            steps.append(Step(f"ALTER SEQUENCE {new.identity} AS {new['data_type']}"))
        elif "data_type" in changed:
            options.insert(0, f"AS {new['data_type']}")
        if options:
            steps.append(Step(f"ALTER SEQUENCE {new.identity} {' '.join(options)}"))
        if "persistence" in changed:
            logged = "SET UNLOGGED" if new["persistence"] == "u" else "SET LOGGED"
            steps.append(Step(f"ALTER SEQUENCE {new.identity} {logged}"))
        if "owned_by" in changed and new["owned_by"]:
            steps.append(
                Step(f"ALTER SEQUENCE {new.identity} OWNED BY {new['owned_by']}", phase=Phase.FINISH)
            )
        return steps

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        aside = {taken.aside for taken in takeovers_from(obj, scene) if taken.aside}
        return [Step(f"DROP SEQUENCE {next(iter(aside), obj.identity)}")]

    def successors(self, obj: Object, scene: Scene) -> Iterable[Address]:
        for taken in takeovers_from(obj, scene):
            if taken.moved and taken.column.parent:
                yield taken.column.parent
            elif taken.after is taken.column:
                yield taken.column.address
            else:
                yield Address("default value", taken.column.address.names)

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        return frozenset({"owned_by"}) if lost.address.names[:3] == tuple(obj["_owner_names"] or ()) else None

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("relation", *obj.address.names)]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        used = (
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_sequence s"
            f" WHERE s.seqrelid = {quote_literal(old.identity)}::regclass"
            " AND pg_sequence_last_value(s.seqrelid) IS NOT NULL)"
        )
        if new is None:
            taken = takeovers_from(old, scene)
            lost = [Risk("data-loss", old.identity, "its position", used)]
            return [risk for each in taken for risk in each.risks()] if taken else lost
        crash = [Risk("behaviour", old.identity, "its position", used, says="would be lost in a crash")]
        return [*starts_over(old, new), *(crash if new["persistence"] == "u" != old["persistence"] else [])]

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        return [] if scene.creates(new.address) else out_of_limits(scene.live[new.address], new)
