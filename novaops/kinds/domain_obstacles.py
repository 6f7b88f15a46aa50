"""Values that a domain does not allow, as queries on the live data; not a kind itself.

The deparsed CHECK of a domain names the value VALUE, which is a column of that name anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.obstacles import refusal
from novaops.kinds.type_change import castable
from novaops.kinds.work import Work, scan


def disallowed(constraint: Object, scene: Scene) -> list[Risk]:
    """For a constraint of a domain that columns have already."""
    if constraint.parent is None or not constraint["validated"]:
        return []
    return _of_domain(constraint, scene.desired[constraint.parent], constraint["expression"], scene)


def nulls_in(domain: Object, scene: Scene) -> list[Risk]:
    """For a domain that columns have already and that is to be NOT NULL."""
    return _of_domain(domain, domain, None, scene)


def read_for(domain: Address | None, scene: Scene) -> tuple[Work, ...]:
    """For a statement that PostgreSQL looks at all values of the domain for (validateDomainCheckConstraint)."""
    if domain is None or domain not in scene.live:
        return ()
    holders = [scene.live[edge.dependent] for edge in scene.live.dependents.get(domain, ())]
    columns = [o for o in holders if o.address.type == "table column" and not scene.drops(o.address)]
    tables = dict.fromkeys(column["_relation"] for column in columns)
    inside = (
        work for o in holders if o.kind == scene.live[domain].kind for work in read_for(o.address, scene)
    )
    return (*(scan(table, "SHARE") for table in tables), *inside)


def unfit(column: Object, scene: Scene) -> list[Risk]:
    """For a column that is to have a domain as its type."""
    old = scene.live[column.address]
    if column["_type_type"] != "d" or column["type"] == old["type"]:
        return []
    edges = scene.desired.dependencies.get(column.address, ())
    (domain,) = (o for e in edges if (o := scene.desired[e.referenced]).identity == column["type"])
    inside = scene.desired.children.get(domain.address, ())
    expressions = [o["expression"] for o in inside] + [None] * domain["not_null"]
    value = column["_quoted"] if castable(old, column) else f"{column['_quoted']}::text"
    values = f"SELECT {value}::{domain['base_type']} AS value FROM {column['_relation']}"
    says = f"would not fit {column['type']}"
    return [_refusal(column, says, values, expression) for expression in expressions]


def _of_domain(subject: Object, domain: Object, expression: str | None, scene: Scene) -> list[Risk]:
    held = list(_held(domain, domain["base_type"], scene)) if domain.address in scene.live else []
    return [_refusal(subject, "would violate it", " UNION ALL ".join(held), expression)] if held else []


def _held(domain: Object, base_type: str, scene: Scene) -> Iterator[str]:
    """Queries for the values in the columns of the domain, of arrays of it, and of domains over it."""
    for edge in scene.live.dependents.get(domain.address, ()):
        holder = scene.live[edge.dependent]
        after = scene.desired.objects.get(holder.address)
        if holder.kind == domain.kind and holder["base_type"] == domain.identity:
            yield from _held(holder, base_type, scene)
        elif holder.address.type == "table column" and after and not scene.drops(holder.address):
            values = {
                domain.identity: holder["_quoted"],
                f"{domain.identity}[]": f"unnest({holder['_quoted']})",
            }
            if after["type"] == holder["type"] and holder["type"] in values:
                held_in = f"{quote_literal(holder.identity)} AS held_in"
                value = f"{values[holder['type']]}::{base_type} AS value"
                yield f"SELECT {held_in}, {value} FROM ONLY {holder['_relation']}"


def _refusal(subject: Object, says: str, values: str, expression: str | None) -> Risk:
    hazard = "check" if expression else "not-null"
    where = f"NOT ({expression})" if expression else "value IS NULL"
    return refusal(hazard, subject.identity, says, f"FROM ({values}) AS held WHERE {where}")
