"""Values that a domain does not allow, as queries on the live data; not a kind itself.

The deparsed CHECK of a domain names the value VALUE, which is a column of that name anywhere else.
"""

from __future__ import annotations

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.evaluation import Evaluation
from novaops.kinds.held_values import among, held_values, told_apart
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.obstacles import refusal
from novaops.kinds.type_change import CHANGED, castable, distinct, lossless
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


def narrowed(old: Object, new: Object, scene: Scene) -> list[Risk]:
    """Values that are others after a change of the base type and back; they are converted by their text."""
    if lossless(old, new):
        return []
    before, after = old["base_type"], new["base_type"]
    back = f"value::text::{after}::text::{before}"
    differs = distinct(back, f"value::{before}", old["_has_equality"], old["collation"])
    return among("narrowing", old.identity, held_values(old, scene), f"value::{before}", differs, CHANGED)


def _of_domain(subject: Object, domain: Object, expression: str | None, scene: Scene) -> list[Risk]:
    """The values are those of the live domain, the condition is about the base type that is to be."""
    live = scene.live.objects.get(domain.address)
    if live is None or live.kind != domain.kind:
        return []
    value = f"value::{live['base_type']}"
    if live["base_type"] != domain["base_type"]:
        value += f"::text::{domain['base_type']}"
    held = [told_apart(place, value) for place in held_values(live, scene)]
    return [_refusal(subject, "would violate it", " UNION ALL ".join(held), expression)] if held else []


def _refusal(subject: Object, says: str, values: str, expression: str | None) -> Risk:
    hazard = "check" if expression else "not-null"
    where = f"NOT ({expression})" if expression else "value IS NULL"
    evaluation = Evaluation(f"({values})", "held", (expression,)) if expression else None
    source = f"FROM ({values}) AS held WHERE {where}"
    return refusal(hazard, subject.identity, says, source, evaluation=evaluation)
