"""Rows for which PostgreSQL refuses a constraint, as queries on the live data; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.kind import Risk, Scene

HAZARD = {"c": "check", "f": "foreign-key", "n": "not-null", "p": "unique", "u": "unique"}


def violated(obj: Object, scene: Scene) -> list[Risk]:
    """For a constraint of a table that is there already."""
    if obj["type"] not in HAZARD or obj["_period"] or not obj["validated"]:
        return []
    match obj["type"]:
        case "c":
            where = f"WHERE NOT {obj['definition'].removeprefix('CHECK ')}"
        case "n":
            where = f"WHERE {obj['_key'][0]} IS NULL"
        case "f":
            where = _dangling(obj, scene)
        case _:
            where = _duplicate(obj)
    query = f"SELECT EXISTS (SELECT FROM {obj['_relation']} AS r {where})"
    return [Risk(HAZARD[obj["type"]], obj.identity, "rows", query)]


def unfilled(column: Object) -> Risk:
    """For a new column that is NOT NULL and has nothing to fill the rows with."""
    return Risk("not-null", column.identity, "rows", f"SELECT EXISTS (SELECT FROM {column['_relation']})")


def nulls(column: Object) -> Risk:
    """For a column that is to be NOT NULL."""
    query = f"SELECT EXISTS (SELECT FROM {column['_relation']} WHERE {column['_quoted']} IS NULL)"
    return Risk("not-null", column.identity, "rows", query)


def _duplicate(obj: Object) -> str:
    columns = obj["_key"]
    null_is_a_value = obj["definition"].startswith("UNIQUE NULLS NOT DISTINCT ")
    where = "" if null_is_a_value else f"WHERE {_all(f'{c} IS NOT NULL' for c in columns)} "
    return f"{where}GROUP BY {', '.join(columns)} HAVING count(*) > 1"


def _dangling(obj: Object, scene: Scene) -> str:
    given = [f"r.{column} IS NOT NULL" for column in obj["_key"]]
    edges = scene.desired.dependencies.get(obj.address, ())
    if any(scene.creates(Address("table", e.referenced.names[:2])) for e in edges):
        return f"WHERE {_all(given)}"  # a new table holds no row to refer to
    pairs = zip(obj["_key"], obj["_referenced_key"], strict=True)
    found = f"SELECT FROM {obj['_referenced']} AS f WHERE {_all(f'f.{b} = r.{a}' for a, b in pairs)}"
    return f"WHERE {_all(given)} AND NOT EXISTS ({found})"


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions)
