"""Where values of a type are stored, as queries on the live data; not a kind itself.

A column may have the type, an array of it, or a type that is made of it: a domain over it, a composite with an
attribute of it, a range of it, and so on from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.kinds.kind import Risk, Scene


def held_values(type_: Object, scene: Scene) -> Iterator[tuple[Object, str]]:
    """Columns that keep their type, each with a query for the values of `type_` in it: one column, `value`."""
    for edge in scene.live.dependents.get(type_.address, ()):
        holder = scene.live[edge.dependent]
        if holder.address.type == "table column":
            if _keeps_its_values(holder, scene):
                rows = f"FROM ONLY {holder['_relation']}"
                yield from ((holder, f"SELECT {v} AS value {rows}") for v in _in_column(type_, holder))
        elif holder.address.type == "type":
            parts = list(_parts(type_, holder))
            for column, whole in held_values(holder, scene):
                for part in parts:
                    # A composite that is NULL has no attributes, and what is not bounded no bound.
                    given = f"FROM ({whole}) AS whole WHERE pg_catalog.num_nonnulls(value) = 1"
                    yield column, f"SELECT {part} AS value {given}"


def told_apart(held: tuple[Object, str], value: str) -> str:
    """A query of `held_values` with the column's identity beside the value, in which `value` names it."""
    column, query = held
    return f"SELECT {quote_literal(column.identity)} AS held_in, {value} AS value FROM ({query}) AS held"


def among(
    hazard: str,
    subject: str,
    held: Iterable[tuple[Object, str]],
    value: str,
    condition: str,
    says: str | None,
) -> list[Risk]:
    """The risk for the values of `held_values` that meet the condition; in both expressions `value` names one."""
    queries = [told_apart(place, value) for place in held]
    if not queries:
        return []
    held_there = f"FROM ({' UNION ALL '.join(queries)}) AS held"
    source = f"{held_there} WHERE {condition}"
    # What is lost is told of the values that have it.
    counted = (
        f"count(*), NULL {source}"
        if says is None
        else f"count(*) FILTER (WHERE {condition}), count(*) {held_there}"
    )
    return [
        Risk(
            hazard,
            subject,
            "values",
            f"SELECT EXISTS (SELECT {source})",
            f"SELECT {counted}",
            query=f"SELECT * {source}",
            says=says,
        )
    ]


def column_to_be(column: Object, scene: Scene) -> Object | None:
    """The desired column that has the values of a live one: those of partitions may be copied into another table.

    Where a partitioned table is rebuilt, partitions that the plan drops leave their rows to it (`moved_rows.fill`).
    """
    table = column.parent
    while table is not None and table not in scene.moved and scene.drops(table):
        table = _partitioned(table, scene)
    if table is None:
        return None
    address = Address(column.address.type, (*table.names, column.address.names[-1]))
    after = scene.desired.objects.get(address)
    return None if after is None or (scene.drops(address) and table not in scene.moved) else after


def _partitioned(table: Address, scene: Scene) -> Address | None:
    """The partitioned table that it is a partition of."""
    root = scene.live[table].attributes.get("partition_of")
    edges = scene.live.dependencies.get(table, ())
    return next((e.referenced for e in edges if root and scene.live[e.referenced].identity == root), None)


def _keeps_its_values(column: Object, scene: Scene) -> bool:
    after = column_to_be(column, scene)
    return after is not None and bool(after["type"] == column["type"])


def _in_column(type_: Object, column: Object) -> Iterator[str]:
    if column["type"] == type_.attributes.get("multirange_type"):
        yield f"pg_catalog.unnest({column['_quoted']})"
    yield from _as(type_, column["type"], column["_quoted"])


def _parts(type_: Object, holder: Object) -> Iterator[str]:
    """Expressions for the values of `type_` in `value`, one of the type that it is a part of."""
    base_type = holder.attributes.get("base_type")
    yield from _as(type_, base_type, f"value::{base_type}")
    for name, attribute_type, _ in holder.attributes.get("attributes") or ():
        yield from _as(type_, attribute_type, f"(value).{quote_ident(name)}")
    if holder.attributes.get("subtype") == type_.identity:
        yield "pg_catalog.unnest(ARRAY[pg_catalog.lower(value), pg_catalog.upper(value)])"


def _as(type_: Object, name: str | None, value: str) -> Iterator[str]:
    if name == type_.identity:
        yield value
    elif name == f"{type_.identity}[]":
        yield f"pg_catalog.unnest({value})"
