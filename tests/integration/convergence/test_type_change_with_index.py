"""Indexes of a table with rows around a type change: what cannot follow goes before, what is new is built once, after."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

# Old, new, index: the column `a` of type and index before and after. Indexes by what `i on t…` says.
TYPES = {
    "operator class": ("text", "int", "(a text_pattern_ops)", "(a)", "'1'"),
    "predicate": ("int", "text", "(id) WHERE a > 0", "(id) WHERE a <> ''", "1"),
    "expression": ("int", "text", "((a + 1))", "((a || 'x'))", "1"),
    "gin": ("int[]", "text", "USING gin (a)", "(a)", "'{1}'"),
    "gist": ("int4range", "text", "USING gist (a)", "(a)", "'[1,2)'"),
    "spgist": ("int4range", "text", "USING spgist (a)", "(a)", "'[1,2)'"),
    "no order": ("jsonb", "json", "(a)", "(id)", "'1'"),
    "another column": ("text", "int", "(id, a text_pattern_ops)", "(id)", "'1'"),
}


def table(a: str, index: str) -> str:
    return f"CREATE TABLE t (id int NOT NULL, a {a}); CREATE INDEX i ON t {index};"


def position(statements: list[str], text: str) -> int:
    (found,) = [n for n, sql in enumerate(statements) if text in sql]
    return found


@pytest.mark.parametrize("name", TYPES)
def test_the_old_index_goes_before_the_type(converge: Converge, name: str) -> None:
    old, new, before, after, value = TYPES[name]
    made = converge(
        table(old, before),
        table(new, after),
        rows=f"INSERT INTO t SELECT n, {value} FROM generate_series(1, 9) AS n",
        check="SELECT count(*) = 9 FROM t",
        busy=["t"],
    )
    order = [position(made, text) for text in ("DROP INDEX", "TYPE", "CREATE INDEX i ")]
    assert order == sorted(order)
    assert not any("CONCURRENTLY" in sql for sql in made), "built in the transaction of its drop"


@pytest.mark.extension("vector")
def test_vector(converge: Converge) -> None:
    text = (
        "CREATE EXTENSION vector; CREATE TABLE t (a {0}(3)); CREATE INDEX i ON t USING hnsw (a {0}_l2_ops);"
    )
    converge(
        text.format("vector"), text.format("halfvec"), rows="INSERT INTO t VALUES ('[1,2,3]')", busy=["t"]
    )


@pytest.mark.parametrize(
    "identity", ["", "ALTER TABLE t ALTER a SET NOT NULL, REPLICA IDENTITY USING INDEX i;"]
)
def test_what_rows_are_held_to_is_never_missing(converge: Converge, identity: str) -> None:
    """The unique index is dropped and built in one transaction."""
    old = "CREATE TABLE t (a text); CREATE UNIQUE INDEX i ON t (a text_pattern_ops);" + identity
    new = "CREATE TABLE t (a int); CREATE UNIQUE INDEX i ON t (a);" + identity
    made = converge(old, new, rows="INSERT INTO t VALUES ('1'), ('2')", busy=["t"])
    assert not any("CONCURRENTLY" in sql for sql in made)


def test_partitions(converge: Converge) -> None:
    old = "CREATE TABLE p (id int, a text) PARTITION BY LIST (id); CREATE TABLE t PARTITION OF p DEFAULT;"
    new = old.replace("a text", "a int")
    converge(
        old + "CREATE INDEX i ON t (a text_pattern_ops);",
        new + "CREATE INDEX i ON t (a);",
        rows="INSERT INTO p VALUES (1, '1')",
        busy=["p", "t"],
    )


def test_children(converge: Converge) -> None:
    old = "CREATE TABLE p (id int, a text); CREATE TABLE t () INHERITS (p);"
    converge(
        old + "CREATE INDEX i ON t (id) WHERE a <> '';",
        old.replace("a text", "a int") + "CREATE INDEX i ON t (id) WHERE a > 0;",
        rows="INSERT INTO t VALUES (1, '1'); INSERT INTO p VALUES (2, '2')",
        busy=["p", "t"],
    )


WRITTEN = {
    "type": ("b int", "b bigint", "TYPE bigint"),
    "stored column": ("b int", "b int, c int GENERATED ALWAYS AS (b + 1) STORED", "ADD COLUMN c"),
    "default": ("b int", "b int, c uuid DEFAULT gen_random_uuid()", "ADD COLUMN c"),
}
BUILT = {
    "index": ("CREATE INDEX z ON t (a);", "INDEX CONCURRENTLY z "),
    "key": ("ALTER TABLE t ADD CONSTRAINT z UNIQUE (a);", "INDEX CONCURRENTLY z "),
    "check": ("ALTER TABLE t ADD CONSTRAINT z CHECK (a > 0);", "VALIDATE CONSTRAINT z"),
    "foreign key": ("ALTER TABLE t ADD CONSTRAINT z FOREIGN KEY (a) REFERENCES k;", "VALIDATE CONSTRAINT z"),
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("built", BUILT)
def test_what_is_new_is_built_once(converge: Converge, written: str, built: str) -> None:
    old, new, rewrite = WRITTEN[written]
    ddl, build = BUILT[built]
    text = "CREATE TABLE k (a int PRIMARY KEY); CREATE TABLE t (a int, {});"
    made = converge(
        text.format(old),
        text.format(new) + ddl,
        rows="INSERT INTO k VALUES (1); INSERT INTO t VALUES (1, 2)",
        busy=["t", "k"],
    )
    assert position(made, rewrite) < position(made, build)


def test_the_old_index_serves_until_the_new_one_is_built(converge: Converge) -> None:
    text = "CREATE TABLE t (a int, b {}); CREATE UNIQUE INDEX i ON t ({});"
    made = converge(
        text.format("int", "b"), text.format("bigint", "a"), rows="INSERT INTO t VALUES (1, 2)", busy=["t"]
    )
    order = [position(made, s) for s in ("TYPE bigint", "INDEX CONCURRENTLY", "DROP INDEX", "RENAME TO i")]
    assert order == sorted(order)


@pytest.mark.parametrize("read", ["", "b,"])
def test_what_needs_a_new_index_is_not_missing_while_it_is_built(converge: Converge, read: str) -> None:
    """The view groups by the key: whether it reads the column that is rewritten or not."""
    view = f"CREATE VIEW v AS SELECT a, k, {read} count(*) AS n FROM t GROUP BY {{}};"
    old = "CREATE TABLE t (a int PRIMARY KEY, k int NOT NULL, b int);" + view.format("a")
    new = "CREATE TABLE t (a int NOT NULL, k int CONSTRAINT z PRIMARY KEY, b bigint);" + view.format("k")
    made = converge(old, new, rows="INSERT INTO t VALUES (1, 2, 3)", busy=["t"])
    missing = made[position(made, "DROP VIEW") : position(made, "CREATE VIEW")]
    assert not any("CONCURRENTLY" in sql for sql in missing)
