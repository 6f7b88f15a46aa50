"""The tables themselves: whether they can be published, and how an UPDATE or DELETE finds its row."""

from __future__ import annotations

from collections.abc import Iterator

from novaops.desired.lexer import LexicalError, folded, tokens
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Both, Scene

KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
PUBLISHED_ALL = ("insert", "update", "delete", "truncate")


@check("source-table", "error", "the source has the tables", "correct the name, or create the table first")
def source_table(scene: Scene) -> Iterator[Problem]:
    for both in scene.tables():
        if both.source is None:
            yield Problem(f"the source {scene.source.database} has no table {both.declared}")
        elif both.source.kind in KINDS:
            yield Problem(
                f"{both.declared} on the source is {KINDS[both.source.kind]}",
                "only tables are replicated",
                "name the tables that it reads",
            )
        elif both.source.persistence != "p":
            yield Problem(
                f"{both.declared} on the source is not in the WAL (UNLOGGED or TEMPORARY)",
                None,
                f"ALTER TABLE {both.declared.qualified} SET LOGGED",
            )


@check(
    "target-table", "note", "the target has the tables", "the set-up makes it, from the source's definition"
)
def target_table(scene: Scene) -> Iterator[Problem]:
    for both in scene.tables():
        if both.target is None and both.source is not None:
            yield Problem(f"the target {scene.target.database} has no table {both.declared}")
        elif both.target is not None and both.target.kind not in ("r", "p"):
            yield Problem(
                f"{both.declared} on the target is {KINDS.get(both.target.kind, 'no table')}",
                "rows are replicated into tables",
                "rename it, or replicate into another database",
                "error",
            )


@check(
    "replica-identity",
    "error",
    "an UPDATE or DELETE on the source can tell which row it means",
    "add a primary key, or ALTER TABLE … REPLICA IDENTITY FULL",
)
def replica_identity(scene: Scene) -> Iterator[Problem]:
    """PostgreSQL refuses them on the *source*, from the moment the table is published."""
    for both in scene.tables():
        table = both.source
        if table is None or table.kind not in ("r", "p") or not _changes(scene):
            continue
        for leaf in table.leaves_without_identity:
            yield Problem(
                f"{leaf} on the source has no replica identity",
                "every UPDATE and DELETE there would fail once it is published",
                f"ALTER TABLE {leaf} ADD PRIMARY KEY …, or ALTER TABLE {leaf} REPLICA IDENTITY FULL",
            )
        yield from _left_out(both)


def _left_out(both: Both) -> Iterator[Problem]:
    """Identity columns that the column list leaves out, and filter columns outside of the identity."""
    table = both.source
    if table is None or not table.has_identity:
        return
    columns = both.declared.columns
    if columns is not None:
        if table.identity == "f":
            yield Problem(
                f"{both.declared} has REPLICA IDENTITY FULL, which a list of columns leaves out in part",
                "every UPDATE and DELETE there would fail",
                f"ALTER TABLE {both.declared.qualified} REPLICA IDENTITY DEFAULT, with a primary key",
            )
        elif lacking := [c for c in table.identity_columns if c not in columns]:
            yield Problem(
                f"the columns of {both.declared} leave out {', '.join(lacking)}, which is its replica identity",
                "every UPDATE and DELETE there would fail",
                f"add {', '.join(lacking)} to columns",
            )
    if both.declared.row_filter is not None and table.identity != "f":
        used = filter_columns(both.declared.row_filter)
        outside = [c for c in used if c in both.source_columns and c not in table.identity_columns]
        if outside:
            yield Problem(
                f"the filter of {both.declared} reads {', '.join(outside)}, which is not in its replica identity",
                "every UPDATE and DELETE there would fail",
                f"ALTER TABLE {both.declared.qualified} REPLICA IDENTITY FULL, or filter by "
                f"{', '.join(table.identity_columns)}",
            )


def filter_columns(text: str) -> list[str]:
    """The words of an expression that may name a column."""
    try:
        words = [folded(text[t.start : t.end]) for t in tokens(text) if t.kind in ("word", "quoted")]
    except LexicalError:
        return []
    return list(dict.fromkeys(words))


@check(
    "published-otherwise",
    "warning",
    "the publication publishes what is declared",
    "ALTER PUBLICATION …; never drop it and make it again, which loses rows",
)
def published_otherwise(scene: Scene) -> Iterator[Problem]:
    publication = scene.publication
    if publication is None:
        return
    if publication.all_tables:
        yield Problem(
            f"publication {publication.name} is FOR ALL TABLES",
            "it cannot be limited to the tables that are declared",
            'name another with publication = "…" in [[replication]]',
            "error",
        )
    if lacking := [o for o in PUBLISHED_ALL if o not in publication.operations]:
        yield Problem(f"publication {publication.name} does not publish {', '.join(lacking)}")


@check(
    "source-columns",
    "error",
    "the source has the columns that are declared",
    "correct columns in [[replication.table]]",
)
def source_columns(scene: Scene) -> Iterator[Problem]:
    for both in scene.tables():
        if both.source is not None:
            for column in both.declared.columns or ():
                if column not in both.source_columns:
                    yield Problem(f"{both.declared} on the source has no column {column}")


@check(
    "target-key",
    "warning",
    "the target finds the row of an UPDATE or DELETE by an index",
    "add a primary key on the target, over the columns of the source's",
)
def target_key(scene: Scene) -> Iterator[Problem]:
    for both in scene.tables():
        source, target = both.source, both.target
        if source is None or target is None or not _changes(scene):
            continue
        if not target.has_identity:
            yield Problem(
                f"{both.declared} on the target has no key to find rows by",
                "the worker stops at the first UPDATE or DELETE",
                severity="error" if source.identity != "f" else "warning",
            )
        elif source.primary_key and target.primary_key and set(source.primary_key) != set(target.primary_key):
            yield Problem(
                f"the primary key of {both.declared} is ({', '.join(source.primary_key)}) on the source and "
                f"({', '.join(target.primary_key)}) on the target",
                "the worker stops where it cannot find the row of an UPDATE or DELETE",
            )


@check(
    "foreign-keys",
    "note",
    "no foreign key of the target relies on replicated rows",
    "nothing checks them; look for orphans from time to time",
)
def foreign_keys(scene: Scene) -> Iterator[Problem]:
    for both in scene.tables():
        if both.target is None:
            continue
        rows = scene.target.connection.execute(
            "SELECT conrelid::regclass::text, conname::text FROM pg_catalog.pg_constraint"
            " WHERE contype = 'f' AND confrelid = %(table)s AND conrelid <> %(table)s AND conparentid = 0 ORDER BY 1, 2",
            {"table": both.target.oid},
        ).fetchall()
        for table, name in rows:
            yield Problem(
                f"foreign key {name} of {table} on the target is not enforced when {both.declared} is replicated",
                "a row that the source deletes leaves the rows that refer to it",
            )


def _changes(scene: Scene) -> bool:
    """Whether UPDATE or DELETE are published; the set-up publishes everything."""
    publication = scene.publication
    return publication is None or bool({"update", "delete"} & set(publication.operations))


CHECKS = (
    source_table,
    target_table,
    source_columns,
    replica_identity,
    published_otherwise,
    target_key,
    foreign_keys,
)
