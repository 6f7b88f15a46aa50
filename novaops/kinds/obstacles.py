"""Rows for which PostgreSQL refuses a constraint or an index, as queries on the live data; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds.enum_order import compares_reordered
from novaops.kinds.evaluation import Evaluation
from novaops.kinds.inheritance import brought
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.rows_to_be import added_columns, columns_to_be, with_changed_columns

KEYS, EXCLUSION = ("p", "u"), "x"
INHERITED = ("c", "n")
"""Constraints that hold for the rows of the table's children as well."""
FUNCTIONS = ("function", "aggregate", "operator", "cast")
"""Address types of what an expression computes with."""
UNENFORCED = {
    "c": "rows that violate it are accepted",
    "f": "rows that refer to nothing are accepted",
    "n": "NULLs are accepted",
    "p": "duplicates are accepted",
    "u": "duplicates are accepted",
    "x": "rows that exclude each other are accepted",
}
"""What happens while a constraint is missing, by its type."""


def refusal(
    hazard: str,
    subject: str,
    says: str,
    source: str,
    count: str = "count(*)",
    evaluation: Evaluation | None = None,
) -> Risk:
    """For the rows of `source`, a FROM clause with what follows it; `count` tells how many they are."""
    return Risk(
        hazard,
        subject,
        "rows",
        exists=f"SELECT EXISTS (SELECT {source})",
        count=f"SELECT {count}, NULL {source}",
        says=says,
        query=f"SELECT * {source}",
        evaluation=evaluation,
    )


def raising(subject: str, evaluation: Evaluation | None) -> Risk:
    """For expressions that refuse no row by their value, but may raise an error; None: only PostgreSQL can tell."""
    if evaluation is None:
        return Risk("check", subject, "rows")
    return Risk(
        "check",
        subject,
        "rows",
        evaluation.exists(),
        says="would raise an error",
        query=evaluation.query(),
        evaluation=evaluation,
    )


def evaluation_of(
    obj: Object,
    scene: Scene,
    values: Sequence[str],
    condition: str | None = None,
    *,
    rows: str | None = None,
    once: bool = False,
) -> Evaluation | None:
    """What the object evaluates for the rows as they will be; None where nobody knows."""
    relation = relation_of(obj, scene)
    columns = columns_to_be(obj, relation, scene)
    if columns is None or computes_otherwise(obj, scene):
        return None
    return Evaluation(
        rows or rows_read(obj, scene),
        quote_ident(relation.name),
        tuple(values),
        condition,
        tuple(columns),
        relation.identity,
        once,
    )


def computes_otherwise(obj: Object, scene: Scene) -> bool:
    """Whether it calls a function, also by way of an operator, that the plan makes or changes."""
    todo, seen = [obj.address], set[Address]()
    while todo:
        for edge in scene.desired.dependencies.get(todo.pop(), ()):
            address = edge.referenced
            if address in seen or address.type not in FUNCTIONS:
                continue
            live, desired = scene.live.objects.get(address), scene.desired[address]
            if live is None or scene.creates(address) or live.attributes != desired.attributes:
                return True
            seen.add(address)
            todo.append(address)
    return False


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
    if obj["type"] == "c" and (compares_reordered(obj, scene) or computes_otherwise(obj, scene)):
        source = None
    if source is None:
        # To a key it does not matter: values that are computed row by row are made to differ.
        unknown = {"c": "check", "f": "foreign-key"}.get(obj["type"])
        return [Risk(unknown, subject, "rows")] if unknown else []
    match obj["type"]:
        case "c":
            return [_false(obj, source, scene)]
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
        case "p" | "u" | "x":
            return _excluding(obj, scene)
    return []


def _false(check: Object, source: str, scene: Scene) -> Risk:
    """For the rows that a CHECK is false for, or raises an error for.

    One that calls a volatile function is evaluated once, as VALIDATE CONSTRAINT does: the rows are not counted.
    """
    condition = check["definition"].removeprefix("CHECK ")
    evaluation = evaluation_of(check, scene, [condition], once=check["_volatile"])
    where = f"FROM {source} WHERE NOT {condition}"
    risk = refusal("check", check.identity, "would violate it", where, evaluation=evaluation)
    return replace(risk, count=None) if check["_volatile"] else risk


def _excluding(obj: Object, scene: Scene) -> list[Risk]:
    """For an exclusion constraint or temporal key: errors in its expressions, and rows that exclude each other."""
    risks = []
    if obj["type"] == EXCLUSION:
        risks.append(raising(obj.identity, evaluation_of(obj, scene, obj["_expressions"], obj["predicate"])))
    if added_columns(obj, relation_of(obj, scene), scene):
        return risks
    return [*risks, _conflicts(obj, rows_read(obj, scene))]


def refused_by_index(index: Object, scene: Scene) -> list[Risk]:
    """For an index of a relation that is there already: errors in its expressions, and keys that are not unique."""
    if not index["valid"] or _made_of_parts(index, scene) or _not_for_these_rows(index, scene):
        return []
    risks = []
    if index["_computed"] or index["predicate"]:
        evaluation = evaluation_of(index, scene, index["_computed"] or (), index["predicate"])
        risks.append(raising(index.identity, evaluation))
    return [*risks, *(repeated(index, scene) if index["_unique"] else ())]


def repeated(index: Object, scene: Scene) -> list[Risk]:
    """For the rows of a unique index that have a key in common."""
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


def rows_read(obj: Object, scene: Scene) -> str:
    """The relation as PostgreSQL reads it: of a plain table's children only what they inherit."""
    relation = relation_of(obj, scene)
    whole = obj["_partitioned"] or (obj.attributes.get("type") in INHERITED and not obj["no_inherit"])
    if relation.address in scene.moved:
        whole = scene.live[relation.address]["_partitioned"]
    return relation.identity if whole else f"ONLY {relation.identity}"


def _source(obj: Object, scene: Scene, alias: str | None = None, *, converts: bool = True) -> str | None:
    """The rows as they will be, for FROM, by the name of the relation or another; None where nobody knows."""
    relation = relation_of(obj, scene)
    rows = with_changed_columns(obj, relation, rows_read(obj, scene), scene, converts=converts)
    return None if rows is None else f"{rows} AS {alias or quote_ident(relation.name)}"


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
    there = scene.live[referenced.address] if referenced.address in scene.moved else referenced
    rows = f"{'' if there['_partitioned'] else 'ONLY '}{obj['_referenced']}"
    rows_to_be = with_changed_columns(obj, referenced, rows, scene)
    if rows_to_be is None:
        return None
    pairs = _all(f"f.{b} = r.{a}" for a, b in zip(obj["_key"], obj["_referenced_key"], strict=True))
    found = f"SELECT FROM {rows_to_be} AS f WHERE {pairs}"
    return f"FROM {source} WHERE {given} AND NOT EXISTS ({found}){partly}"


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions)
