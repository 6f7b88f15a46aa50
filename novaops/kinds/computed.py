"""What was computed once from a function, or a text search configuration, and is not when that changes; not a kind itself.

PostgreSQL takes an IMMUTABLE function at its word: CREATE OR REPLACE looks at no index, stored column, constraint or
partition that was made with its results (documentation, section 36.7). What `pg_depend` does not know, such as a
function that another one calls from the text of its body, is not known here either.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds import registry
from novaops.kinds.held_values import held_values
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.reach import any_row

RESULT = frozenset({"body", "binary", "language", "strict", "config", "transforms", "mappings", "options"})
"""Attributes that decide what is computed."""
BETWEEN = frozenset(
    {"function", "operator", "operator class", "operator family", "text search configuration"}
)
"""Kinds that keep nothing themselves, and that others compute with."""


def left_as_computed(old: Object, changed: Set[str], scene: Scene) -> list[Risk]:
    """For a change of `old` that what depends on it outlives."""
    if changed.isdisjoint(RESULT):
        return []
    return [
        Risk("behaviour", old.identity, what, exists, says=says)
        for holder in _holders(old, scene, {old.address})
        for what, exists, says in _kept(holder, scene)
    ]


def _holders(obj: Object, scene: Scene, seen: set[Address]) -> Iterator[Object]:
    """What depends on it, also by way of other functions, and stays as it is."""
    for edge in scene.live.dependents.get(obj.address, ()):
        holder = scene.live[edge.dependent]
        if holder.address in seen or scene.drops(holder.address):
            continue
        seen.add(holder.address)
        # What partitions and children inherit is told of the table that they have it from.
        if not holder.facts.get("inherited_from") and not holder.attributes.get("parent_index"):
            yield holder
        if holder.kind in BETWEEN or holder.attributes.get("generated") == "v":
            yield from _holders(holder, scene, seen)


def _kept(holder: Object, scene: Scene) -> Iterator[tuple[str, str, str]]:
    """What it keeps, the query that tells whether there is any, and what is to be known of it."""
    *_, relation = holder, *scene.live.ancestors(holder)
    rows = any_row(relation.identity)
    index = holder.identity if holder.kind == "index" else holder.facts.get("index")
    if index:
        again = f"REINDEX INDEX CONCURRENTLY {index}"
        yield f"index {index}", rows, f"would keep what the old one computed, until {again}"
    elif holder.attributes.get("generated") == "s":
        yield f"column {holder.identity}", rows, "would keep the values that the old one gave"
    elif holder.kind == "constraint" and holder["validated"]:
        yield holder.identity, rows, "would not be held against the rows that are there"
    elif holder.kind == "domain constraint" and holder["validated"]:
        held = [f"EXISTS ({query})" for _, query in held_values(scene.live[relation.address], scene)]
        if held:
            exists = f"SELECT {' OR '.join(held)}"
            yield holder.identity, exists, "would not be held against the values that are there"
    elif registry()[holder.kind].rows and holder.attributes.get("partition_key"):
        yield f"rows of {holder.identity}", rows, "would stay in the partitions that the old one put them in"
