"""Values for which PostgreSQL refuses a column, as queries on the live data; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds.domain_obstacles import unfit
from novaops.kinds.enum_order import compares_reordered
from novaops.kinds.evaluation import Evaluation
from novaops.kinds.inheritance import brought, origin
from novaops.kinds.input_obstacles import unreadable
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.levels import filling_default, starts_not_null
from novaops.kinds.obstacles import (
    evaluation_of,
    keeps_rows,
    raising,
    refusal,
    refused_by_index,
    relation_of,
    violated,
)
from novaops.kinds.rows_to_be import converted, value_to_be
from novaops.kinds.sequence_position import out_of_limits
from novaops.kinds.type_change import castable


def unacceptable(column: Object, scene: Scene) -> list[Risk]:
    """For a column of a table that is there already."""
    table = relation_of(column, scene)
    own = starts_not_null(column, scene.desired)
    if not keeps_rows(table, scene) or (_told_of_parent(column, scene) and not own) or column["_view"]:
        return []
    if column.address not in scene.live or (
        scene.creates(column.address) and not scene.creates(table.address)
    ):
        not_null = column["not_null"] or own
        empty = _left_empty(column, scene) if not_null and filling_default(column, scene) is None else []
        return [*_stored(column, scene), *empty]
    old = scene.live[column.address]
    given = f"FROM {column['_relation']} WHERE {column['_quoted']} IS NULL"
    risks = [_nulls(column, given)] if column["not_null"] and not old["not_null"] else []
    risks += unfit(column, scene) + unreadable(column, scene) + out_of_limits(old, column)
    risks += _stored(column, scene)
    value = converted(column, scene)
    if value is not None:
        risks.append(raising(column.identity, _conversion(old, column, value)))
    others = value or compares_reordered(column, scene)
    return risks + (_held_again(column, scene) if others else [])


def _held_again(column: Object, scene: Scene) -> list[Risk]:
    """For what stays on a column whose values change, or compare otherwise: PostgreSQL makes it again, and checks all rows.

    See ATPostAlterTypeCleanup() in src/backend/commands/tablecmds.c.
    """
    risks = []
    for edge in scene.desired.dependents.get(column.address, ()):
        stays = scene.desired[edge.dependent]
        if stays.address in scene.live and not scene.creates(stays.address):
            if stays.kind == "constraint":
                risks += violated(stays, scene)
            elif stays.kind == "index":
                risks += refused_by_index(stays, scene)
    return risks


def _conversion(old: Object, column: Object, value: str) -> Evaluation:
    """For a column whose values are cast; what a domain then does not allow, `unfit` tells."""
    table = column["_relation"]
    if column["_type_type"] == "d":
        given = column["_quoted"] if castable(old, column) else f"{column['_quoted']}::text"
        value = f"{given}::{column['_base_type']}"
    return Evaluation(table, quote_ident(column["_relation_name"]), (value,), table=table)


def _stored(column: Object, scene: Scene) -> list[Risk]:
    """For a stored generated column whose values are computed: a new one, or one with another expression or type."""
    old = scene.live.objects.get(column.address)
    same = old is not None and all(
        old[n] == column[n] for n in ("generated", "generation_expression", "type")
    )
    if column["generated"] != "s" or (same and not scene.creates(column.address)):
        return []
    value = f"({column['generation_expression']})::{column['type']}"
    evaluation = evaluation_of(column, scene, [value], rows=column["_relation"])
    return [raising(column.identity, evaluation)]


def _told_of_parent(column: Object, scene: Scene) -> bool:
    """Whether the column that it is inherited from brings about what happens to it."""
    before = scene.live.objects.get(column.address)
    source = origin(column)
    stays = before is not None and origin(before) == source
    return source is not None and (stays or brought(column, scene))


def _left_empty(column: Object, scene: Scene) -> list[Risk]:
    """For a new column that nothing fills, or an expression over others that may give NULL."""
    value = value_to_be(column, scene)
    where = f" WHERE {value} IS NULL" if column["generated"] else ""
    return [] if value is None else [_nulls(column, f"FROM {column['_relation']}{where}")]


def _nulls(column: Object, source: str) -> Risk:
    return refusal("not-null", column.identity, "would have NULL there", source)
