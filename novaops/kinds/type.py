"""What all kinds of types (`pg_type`) have in common; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal, quote_qualified, suffixed
from novaops.kinds.held_values import column_to_be
from novaops.kinds.kind import ASIDE, Kind, Risk, Scene, Step


class Type(Kind):
    types = ("type",)
    rank = 20
    acl_type = "T"
    owned = True

    def keyword(self, obj: Object) -> str:
        return "TYPE"

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("type", obj.schema or "", obj.name)]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        after = scene.desired.objects.get(old.address)
        if after is None:
            return [Risk("data-loss", old.identity, "the type")]
        # Where it becomes a type of another kind, what becomes of values is the columns' matter.
        return self.value_risks(old, after, scene) if after.kind == old.kind else []

    def value_risks(self, old: Object, after: Object, scene: Scene) -> list[Risk]:
        """What happens to stored values when the type becomes `after`."""
        return []

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        name = suffixed(obj.name, ASIDE)
        identity = quote_qualified(obj.schema or "", name)
        moved = replace(obj, address=Address("type", (identity,)), identity=identity, name=name)
        return [Step(f"ALTER {self.target(obj)} RENAME TO {quote_ident(name)}")], moved


def stored_in(obj: Object, scene: Scene) -> list[Object]:
    """Table columns that hold values of the type, directly or within another type, and keep theirs."""
    found = {column.address: column for column in _columns(obj, scene, set())}
    return [
        column
        for column in found.values()
        if (kept := column_to_be(column, scene)) is not None and kept["type"] == column["type"]
    ]


def nested(domain: Object, scene: Scene) -> bool:
    """Whether arrays or other types of columns hold values of the domain: then nothing can be added to it.

    See get_rels_with_domain() in src/backend/commands/typecmds.c, which looks at no row.
    """
    names = {o.identity for o in _domains_over(domain, scene)}
    return any(column["type"] not in names for column in stored_in(domain, scene))


def _domains_over(domain: Object, scene: Scene) -> Iterator[Object]:
    yield domain
    for edge in scene.live.dependents.get(domain.address, ()):
        over = scene.live[edge.dependent]
        if over.kind == domain.kind and over["base_type"] == domain.identity:
            yield from _domains_over(over, scene)


def held(
    hazard: str, subject: str, columns: Iterable[tuple[Object, str]], scene: Scene, says: str | None = None
) -> list[Risk]:
    """The risk for the values in these columns of which each meets its condition; none without columns.

    A partition or child table has columns of its own, hence ONLY.
    """
    sources = [
        (column, f"FROM ONLY {scene.live[column.parent].identity} WHERE {condition}")
        for column, condition in columns
        if column.parent is not None
    ]
    if not sources:
        return []
    shown = (
        f"SELECT {quote_literal(c.identity)} AS held_in, {quote_ident(c.address.names[-1])}::text AS value {source}"
        for c, source in sources
    )
    exists = " OR ".join(f"EXISTS (SELECT {source})" for _, source in sources)
    count = " + ".join(f"(SELECT count(*) {source})" for _, source in sources)
    query = " UNION ALL ".join(shown)
    return [
        Risk(hazard, subject, "values", f"SELECT {exists}", f"SELECT {count}, NULL", says=says, query=query)
    ]


def _columns(obj: Object, scene: Scene, seen: set[Address]) -> Iterator[Object]:
    seen.add(obj.address)
    for edge in scene.live.dependents.get(obj.address, ()):
        dependent = scene.live[edge.dependent]
        if dependent.address.type == "type" and dependent.address not in seen:
            yield from _columns(dependent, scene, seen)
        elif dependent.address.type == "table column":
            yield dependent
