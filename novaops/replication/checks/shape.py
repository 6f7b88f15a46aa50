"""Columns of both sides, one by one: type, NOT NULL, default, generated, labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from psycopg.sql import SQL, Identifier

from novaops.db.identifiers import quote_ident, quote_literal
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Both, Scene
from novaops.replication.facts.table import Column

# What values of a type can become in another without loss: they are sent as text (documentation,
# "Logical Replication", "Subscription": types need not match, if the text can be converted).
WIDER: dict[str, tuple[str, ...]] = {
    "smallint": ("integer", "bigint", "numeric", "text"),
    "integer": ("bigint", "numeric", "text"),
    "bigint": ("numeric", "text"),
    "real": ("double precision", "text"),
    "json": ("jsonb", "text"),
    "jsonb": ("json", "text"),
    "uuid": ("text",),
    "date": ("text",),
    "boolean": ("text",),
}
SIZED = re.compile(r"(?P<name>character varying|character|bit varying)(?:\((?P<size>\d+)\))?")


@check(
    "column-missing",
    "note",
    "the target has every column that is replicated",
    "the set-up adds it, from the source's definition",
)
def column_missing(scene: Scene) -> Iterator[Problem]:
    for both in _pairs(scene):
        for name in both.replicated:
            if name not in both.target_columns:
                yield Problem(f"{both.declared} on the target has no column {name}")


@check(
    "column-type",
    "error",
    "the target's columns take what the source sends",
    "ALTER TABLE … ALTER COLUMN … TYPE … on the target",
)
def column_type(scene: Scene) -> Iterator[Problem]:
    for both, source, target in _columns(scene):
        if source.labels is not None and target.labels is not None:
            continue
        if source.type != target.type:
            fits = takes(source.type, target.type)
            yield Problem(
                f"{both.declared}.{source.name} is {source.type} on the source and {target.type} on the target",
                None if fits else "the worker stops at the first value that does not fit",
                f"ALTER TABLE {both.declared.qualified} ALTER COLUMN {quote_ident(source.name)} TYPE {source.type} on the target",
                "note" if fits else "error",
            )


@check(
    "enum-labels",
    "error",
    "enumerations of the target have the labels of the source",
    "ALTER TYPE … ADD VALUE … on the target",
)
def enum_labels(scene: Scene) -> Iterator[Problem]:
    for both, source, target in _columns(scene):
        if source.labels is None or target.labels is None:
            continue
        if lacking := [label for label in source.labels if label not in target.labels]:
            yield Problem(
                f"{target.type} of {both.declared}.{source.name} on the target lacks {', '.join(map(quote_literal, lacking))}",
                "the worker stops at the first row that has it",
                "; ".join(f"ALTER TYPE {target.type} ADD VALUE {quote_literal(label)}" for label in lacking)
                + " on the target",
            )


@check(
    "column-generated",
    "error",
    "no column is generated on the target that is sent by the source",
    "make it a plain column on the target, or leave it out of columns",
)
def column_generated(scene: Scene) -> Iterator[Problem]:
    for both, source, target in _columns(scene):
        if target.generated:
            yield Problem(
                f"{both.declared}.{source.name} is generated on the target, and sent by the source",
                "the worker stops: it can write no such column",
            )
    for both in _pairs(scene):
        for name, column in both.source_columns.items():
            there = both.target_columns.get(name)
            if column.generated and name not in both.replicated and there and not there.generated:
                yield Problem(
                    f"{both.declared}.{name} is generated on the source, and is not sent",
                    "on the target it is a plain column: it stays empty there",
                    f"make {name} generated on the target too",
                    "error" if there.not_null and there.default is None else "warning",
                )


@check(
    "column-not-null",
    "error",
    "the target's columns take the NULLs of the source",
    "ALTER TABLE … ALTER COLUMN … DROP NOT NULL on the target",
)
def column_not_null(scene: Scene) -> Iterator[Problem]:
    for both, source, target in _columns(scene):
        if target.not_null and not source.not_null:
            there = _has_null(scene, both, source.name)
            yield Problem(
                f"{both.declared}.{source.name} is NOT NULL on the target only"
                + (", and NULL in rows of the source" if there else ""),
                "the worker stops at such a row",
                f"ALTER TABLE {both.declared.qualified} ALTER COLUMN {quote_ident(source.name)} DROP NOT NULL on the target",
                "error" if there else "warning",
            )


@check(
    "column-extra",
    "note",
    "the target's tables have no columns of their own",
    "nothing has to be done: they get their default",
)
def column_extra(scene: Scene) -> Iterator[Problem]:
    for both in _pairs(scene):
        for name, column in both.target_columns.items():
            if name in both.replicated or column.generated or column.identity:
                continue
            if name in both.source_columns and both.source_columns[name].generated:
                continue  # column-generated tells of it
            if column.not_null and column.default is None:
                yield Problem(
                    f"{both.declared}.{name} on the target is NOT NULL without a default, and the source sends none",
                    "the worker stops at the first row",
                    f"ALTER TABLE {both.declared.qualified} ALTER COLUMN {quote_ident(name)} SET DEFAULT … (or DROP NOT NULL) "
                    "on the target",
                    "error",
                )
            elif name not in both.source_columns:
                yield Problem(f"{both.declared}.{name} is on the target only")


@check(
    "column-default",
    "note",
    "columns have the same default on both sides",
    "nothing has to be done for replicated rows: they bring their values",
)
def column_default(scene: Scene) -> Iterator[Problem]:
    for both, source, target in _columns(scene):
        if source.default != target.default:
            yield Problem(
                f"the default of {both.declared}.{source.name} is {source.default or 'none'} on the source and "
                f"{target.default or 'none'} on the target"
            )


def takes(source: str, target: str) -> bool:
    """Whether every value of one type is one of the other, both as `format_type()` writes them."""
    if source == target or target in WIDER.get(source, ()):
        return True
    one, other = SIZED.fullmatch(source), SIZED.fullmatch(target)
    if one and target == "text":
        return True
    if one and other and one["name"] == other["name"]:
        return other["size"] is None or (one["size"] is not None and int(one["size"]) <= int(other["size"]))
    return False


def _pairs(scene: Scene) -> Iterator[Both]:
    return (both for both in scene.tables() if both.source is not None and both.target is not None)


def _columns(scene: Scene) -> Iterator[tuple[Both, Column, Column]]:
    """The replicated columns that both sides have."""
    for both in _pairs(scene):
        for name, column in both.replicated.items():
            if name in both.target_columns:
                yield both, column, both.target_columns[name]


def _has_null(scene: Scene, both: Both, column: str) -> bool:
    query = SQL("SELECT EXISTS (SELECT FROM {} WHERE {} IS NULL)").format(
        Identifier(both.declared.schema, both.declared.name), Identifier(column)
    )
    row = scene.source.connection.execute(query).fetchone() if both.source and both.source.readable else None
    return bool(row and row[0])


CHECKS = (
    column_missing,
    column_type,
    enum_labels,
    column_generated,
    column_not_null,
    column_extra,
    column_default,
)
