"""Rows for which PostgreSQL refuses a constraint or an index, as queries on the live data; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds.enum_order import compares_reordered
from novaops.kinds.inheritance import brought
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.rows_to_be import added_columns, with_changed_columns

KEYS, EXCLUSION = ("p", "u"), "x"
INHERITED = ("c", "n")
"""Constraints that hold for the rows of the table's children as well."""
UNENFORCED = {
    "c": "rows that violate it are accepted",
    "f": "rows that refer to nothing are accepted",
    "n": "NULLs are accepted",
    "p": "duplicates are accepted",
    "u": "duplicates are accepted",
    "x": "rows that exclude each other are accepted",
}
"""What happens while a constraint is missing, by its type."""


def refusal(hazard: str, subject: str, says: str, source: str, count: str = "count(*)") -> Risk:
    """For the rows of `source`, a FROM clause with what follows it; `count` tells how many they are."""
    return Risk(
        hazard,
        subject,
        "rows",
        exists=f"SELECT EXISTS (SELECT {source})",
        count=f"SELECT {count}, NULL {source}",
        says=says,
        query=f"SELECT * {source}",
    )


def relation_of(obj: Object, scene: Scene) -> Object:
    """The relation that the object is a part of."""
    *_, relation = obj, *scene.desired.ancestors(obj)
    return relation


def keeps_rows(relation: Object, scene: Scene) -> bool:
    """Whether the relation will hold the rows that are in it now."""
    return relation.address in scene.moved or not scene.creates(relation.address)


def violated(obj: Object, scene: Scene) -> list[Risk]:
    """For a constraint of a table that is there already."""
    if not obj["validated"] or not obj["enforced"] or _not_for_these_rows(obj, scene):
        return []
    if _made_of_parts(obj, scene) if obj["type"] in KEYS else brought(obj, scene):
        return []
    source, subject = _source(obj, scene), obj.identity
    if obj["type"] == "c" and compares_reordered(obj, scene):
        source = None
    if source is None:
        # To a key it does not matter: values that are computed row by row are made to differ.
        unknown = {"c": "check", "f": "foreign-key"}.get(obj["type"])
        return [Risk(unknown, subject, "rows")] if unknown else []
    match obj["type"]:
        case "c":
            where = f"NOT {obj['definition'].removeprefix('CHECK ')}"
            return [refusal("check", subject, "would violate it", f"FROM {source} WHERE {where}")]
        case "n":
            # No cast makes NULL of a value, or a value of NULL; but it may fail for another row.
            given = _source(obj, scene, converts=False)
            where = f"{obj['_key'][0]} IS NULL"
            return [refusal("not-null", subject, "would violate it", f"FROM {given} WHERE {where}")]
        case "f" if not obj["_period"]:
            rows = _dangling(obj, scene)
            if rows is None:
                return [Risk("foreign-key", subject, "rows")]
            return [refusal("foreign-key", subject, "would refer to nothing", rows)]
        case "p" | "u" if not obj["_period"]:
            null_is_a_value = obj["definition"].startswith("UNIQUE NULLS NOT DISTINCT ")
            return [_duplicates(subject, source, obj["_key"], None, null_is_a_value)]
        case "p" | "u" | "x" if not added_columns(obj, relation_of(obj, scene), scene):
            return [_conflicts(obj, _rows(obj, scene))]
    return []


def repeated(index: Object, scene: Scene) -> list[Risk]:
    """For a unique index of a relation that is there already."""
    if not index["_unique"] or not index["valid"] or _made_of_parts(index, scene):
        return []
    if _not_for_these_rows(index, scene):
        return []
    null_is_a_value, source = index["_nulls_not_distinct"], _source(index, scene)
    if source is None:
        return []
    return [_duplicates(index.identity, source, index["_keys"], index["predicate"], null_is_a_value)]


def _not_for_these_rows(obj: Object, scene: Scene) -> bool:
    relation = relation_of(obj, scene)
    return scene.creates(relation.address) and not keeps_rows(relation, scene)


def _made_of_parts(index: Object, scene: Scene) -> bool:
    """Whether no row is read for it, but for the indexes of the partitions."""
    return index["_partitioned"] and relation_of(index, scene).address not in scene.moved


def _rows(obj: Object, scene: Scene) -> str:
    """The relation as PostgreSQL reads it: of a plain table's children only what they inherit."""
    relation = relation_of(obj, scene)
    whole = obj["_partitioned"] or (obj.attributes.get("type") in INHERITED and not obj["no_inherit"])
    if relation.address in scene.moved:
        whole = scene.live[relation.address]["_partitioned"]
    return relation.identity if whole else f"ONLY {relation.identity}"


def _source(obj: Object, scene: Scene, alias: str | None = None, *, converts: bool = True) -> str | None:
    """The rows as they will be, for FROM, by the name of the relation or another; None where nobody knows."""
    relation = relation_of(obj, scene)
    rows = _rows(obj, scene)
    if relation.address not in scene.moved:
        whole = with_changed_columns(obj, relation, rows, scene, converts=converts)
        if whole is None:
            return None
        rows = whole
    return f"{rows} AS {alias or quote_ident(relation.name)}"


def _duplicates(
    subject: str, source: str, keys: Sequence[str], predicate: str | None, null_is_a_value: bool
) -> Risk:
    # A row of NULLs IS NULL as well, but is a value to an index.
    given = [] if null_is_a_value else [f"{key} IS DISTINCT FROM NULL" for key in keys]
    conditions = [*([f"({predicate})"] if predicate else []), *given]
    where = f" WHERE {_all(conditions)}" if conditions else ""
    listed = ", ".join(keys)
    groups = f"SELECT {listed}, count(*) AS rows FROM {source}{where} GROUP BY {listed} HAVING count(*) > 1"
    count = "sum(duplicate.rows)::bigint"
    return refusal("unique", subject, "would have a key in common", f"FROM ({groups}) AS duplicate", count)


def _conflicts(obj: Object, rows: str) -> Risk:
    """Rows with another one for which every operator of the exclusion constraint, or temporal key, is true."""
    keys = [f"{expression} AS k{number}" for number, expression in enumerate(obj["_expressions"])]
    where = f" WHERE {obj['predicate']}" if obj["predicate"] else ""
    compared = f"(SELECT tableoid, ctid, {', '.join(keys)} FROM {rows}{where})"
    alike = [f"one.k{number} {operator} other.k{number}" for number, operator in enumerate(obj["_operators"])]
    distinct = "(one.tableoid, one.ctid) <> (other.tableoid, other.ctid)"
    refused = f"EXISTS (SELECT FROM {compared} AS other WHERE {_all([distinct, *alike])})"
    if obj["type"] != EXCLUSION:
        refused += f" OR pg_catalog.isempty(one.k{len(keys) - 1})"  # what WITHOUT OVERLAPS does not take
    source = f"FROM {compared} AS one WHERE {refused}"
    return refusal("unique", obj.identity, "would exclude each other", source)


def _dangling(obj: Object, scene: Scene) -> str | None:
    """Rows that refer to nothing; None where nobody knows what the referenced rows will hold."""
    source = _source(obj, scene, "r")
    key = [f"r.{column}" for column in obj["_key"]]
    given, partly = _all(f"{column} IS NOT NULL" for column in key), ""
    if obj["_match_full"]:
        # All or none of the columns may be NULL (documentation, CREATE TABLE, MATCH FULL).
        partly = f" OR pg_catalog.num_nulls({', '.join(key)}) BETWEEN 1 AND {len(key) - 1}"
    needed = [edge.referenced for edge in scene.desired.dependencies.get(obj.address, ())]
    tables = {Address("table", a.names[:2]) for a in needed if a.type == "table column"}
    # A copy depends on the columns of what it is a copy of, too.
    tables = {t for t in tables if scene.desired[t].identity in (obj["_relation"], obj["_referenced"])}
    if not all(keeps_rows(scene.desired[table], scene) for table in tables):
        return f"FROM {source} WHERE {given}{partly}"  # a new table holds no row to refer to
    (referenced,) = (scene.desired[table] for table in tables - {obj.parent} or tables)
    rows = f"{'' if referenced['_partitioned'] else 'ONLY '}{obj['_referenced']}"
    rows_to_be = with_changed_columns(obj, referenced, rows, scene)
    if rows_to_be is None:
        return None
    pairs = _all(f"f.{b} = r.{a}" for a, b in zip(obj["_key"], obj["_referenced_key"], strict=True))
    found = f"SELECT FROM {rows_to_be} AS f WHERE {pairs}"
    return f"FROM {source} WHERE {given} AND NOT EXISTS ({found}){partly}"


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions)
