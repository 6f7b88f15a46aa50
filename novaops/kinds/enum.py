"""Enumerated types (`pg_enum`)."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.kinds.enum_order import reordered
from novaops.kinds.kind import Part, Phase, Placement, Risk, Scene, Step
from novaops.kinds.type import Type, held, stored_in


class Enum(Type):
    name = "enum"
    swap = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        labels = ", ".join(map(quote_literal, obj["labels"]))
        return [Step(f"CREATE TYPE {obj.identity} AS ENUM ({labels})")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        kept = [label for label in new["labels"] if label in old["labels"]]
        if kept != list(old["labels"]):
            return None
        # A label cannot be used in the transaction that adds it (SQLSTATE 55P04). It needs nothing else
        # of the plan, so it is committed before anything is dropped.
        return [
            Step(
                f"ALTER TYPE {new.identity} ADD VALUE {place}", placement=Placement.APART, phase=Phase.PREPARE
            )
            for place in _additions(old["labels"], new["labels"])
        ]

    def value_risks(self, old: Object, after: Object, scene: Scene) -> list[Risk]:
        lost = held("narrowing", old.identity, _losing(old, after, scene), scene)
        if not reordered(old, after):
            return lost
        given = [(c, f"{quote_ident(c.address.names[-1])} IS NOT NULL") for c in stored_in(old, scene)]
        return [*lost, *held("behaviour", old.identity, given, scene, "would compare in another order")]

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        old = scene.live.objects.get(new.address)
        if old is None or old.kind != self.name:
            return []
        # They are converted by their text, which is no label any more.
        says = "would be no label any more"
        return held("check", new.identity, _losing(old, new, scene), scene, says)

    def parts(self, obj: Object) -> Sequence[str]:
        return list(obj["labels"])

    def rename_part(self, obj: Object, before: str, after: str) -> list[Step]:
        rename = f"RENAME VALUE {quote_literal(before)} TO {quote_literal(after)}"
        return [Step(f"ALTER {self.target(obj)} {rename}")]

    def describe(self, old: Object, new: Object, attribute: str) -> str:
        added = [label for label in new["labels"] if label not in old["labels"]]
        lost = [label for label in old["labels"] if label not in new["labels"]]
        changes = [f"+ {', '.join(added)}"] * bool(added) + [f"- {', '.join(lost)}"] * bool(lost)
        return f"labels: {' '.join(changes) or 'other order'}"


def _additions(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """What to write after ADD VALUE, each beside a label that exists by then."""
    places = []
    for i, label in enumerate(new):
        if label in old:
            continue
        following = [later for later in new[i + 1 :] if later in old]
        place = quote_literal(label)
        if following:
            place += f" BEFORE {quote_literal(following[0])}"
        places.append(place)
    return places


def _losing(old: Object, new: Object, scene: Scene) -> list[tuple[Object, str]]:
    """The columns that hold the type, each with the condition that a value is of a label that goes."""
    lost = [label for label in old["labels"] if label not in new["labels"]]
    return [(column, _holds(column, old, lost)) for column in stored_in(old, scene)] if lost else []


def _holds(column: Object, enum: Object, labels: Sequence[str]) -> str:
    """Condition under which the column holds one of the labels, in an array or composite as well."""
    name = quote_ident(column.address.names[-1])
    if column["type"] == enum.identity:
        return f"{name} IN ({', '.join(map(quote_literal, labels))})"
    values = f"SELECT v #>> '{{}}' FROM jsonb_path_query(to_jsonb({name}), '$.**') AS v"
    return f"EXISTS ({values} WHERE v #>> '{{}}' IN ({', '.join(map(quote_literal, labels))}))"
