"""What PostgreSQL forgets of an object that it makes again by itself, or that a statement replaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from tests.integration.convergence.conftest import EVERYTHING, Converge, execute, snapshot

FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN {}; END';"
TRIGGER = "CREATE TABLE t (a int, b int) PARTITION BY LIST (a); CREATE TRIGGER x BEFORE {} ON t FOR EACH ROW EXECUTE FUNCTION f();"
CLONE = "CREATE TABLE k PARTITION OF t FOR VALUES IN ({}); ALTER TABLE k DISABLE TRIGGER x; COMMENT ON TRIGGER x ON k IS 'c'"
WITH_CLONE = FUNCTION.format("new") + TRIGGER + CLONE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", WITH_CLONE.format("INSERT", 1)),
        (WITH_CLONE.format("INSERT", 1), WITH_CLONE.format("INSERT", 2)),
        (WITH_CLONE.format("INSERT", 1), WITH_CLONE.format("UPDATE", 1)),
        (WITH_CLONE.format("INSERT", 1), WITH_CLONE.format("UPDATE OF b", 2)),
    ],
)
def test_mode_and_comment_of_a_partition_s_trigger(converge: Converge, old: str, new: str) -> None:
    statements = converge(old, new)
    assert not any(s.startswith("DROP TRIGGER") for s in statements)


@pytest.mark.extension("vector")
def test_extensions_of_what_is_replaced(converge: Converge) -> None:
    depends = "CREATE EXTENSION vector; ALTER FUNCTION f() DEPENDS ON EXTENSION vector;"
    trigger = "CREATE TRIGGER x BEFORE {} ON t EXECUTE FUNCTION f(); ALTER TRIGGER x ON t DEPENDS ON EXTENSION vector"
    old, new = (
        f"{FUNCTION.format(row)} {depends} CREATE TABLE t (a int); {trigger.format(event)}"
        for row, event in (("new", "INSERT"), ("old", "UPDATE"))
    )
    statements = converge(old, new)
    assert all(s.startswith("CREATE OR REPLACE") or "DEPENDS" in s for s in statements)


@pytest.mark.extension("vector")
def test_extensions_of_indexes_of_a_column_with_another_type(converge: Converge) -> None:
    table = (
        "CREATE EXTENSION vector; CREATE TABLE t (a {} PRIMARY KEY); CREATE INDEX i ON t (a);"
        "ALTER INDEX i DEPENDS ON EXTENSION vector; ALTER INDEX t_pkey DEPENDS ON EXTENSION vector"
    )
    assert len(converge(table.format("int"), table.format("bigint"))) == 3


@pytest.mark.parametrize(("old", "new"), [("DEFAULT", "FULL"), ("FULL", "NOTHING"), ("NOTHING", "DEFAULT")])
def test_replica_identity_of_a_materialized_view(converge: Converge, old: str, new: str) -> None:
    view = "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; ALTER MATERIALIZED VIEW m REPLICA IDENTITY "
    converge("", view + old)
    converge(view + old, view + new)
    converge(view + old, (view + new).replace("SELECT 1", "SELECT 2"))


INHERITED = "CREATE TABLE p (a int NOT NULL); CREATE TABLE k () INHERITS (p);"
PARTITION = "CREATE TABLE p (a int NOT NULL) PARTITION BY LIST (a); CREATE TABLE k PARTITION OF p DEFAULT;"
SAID = "COMMENT ON CONSTRAINT p_a_not_null ON k IS 'said';"


@pytest.mark.since(18, "NOT NULL as a constraint of tables")
@pytest.mark.parametrize("tables", [INHERITED, PARTITION])
def test_comment_on_an_inherited_not_null(converge: Converge, tables: str) -> None:
    converge("", tables + SAID)
    converge(tables, tables + SAID)
    converge(tables + SAID, tables)
    converge(tables.replace(" NOT NULL", ""), tables + SAID)


@pytest.mark.since(18, "NOT NULL as a constraint of tables")
def test_comment_on_a_not_null_that_comes_to_be_inherited(converge: Converge) -> None:
    own = "CREATE TABLE p (a int NOT NULL); CREATE TABLE k (a int CONSTRAINT p_a_not_null NOT NULL);"
    inherited = "CREATE TABLE p (a int NOT NULL); CREATE TABLE k (a int CONSTRAINT p_a_not_null NOT NULL) INHERITS (p);"
    converge(own + SAID, inherited)
    converge(own, inherited + SAID)


@pytest.fixture(scope="module")
def owner(server_url: str) -> Iterator[str]:
    name = "statistics_owner_of_a_test"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}")
        yield name
        connection.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("owners", [False, True])
def test_owner_of_statistics(owner: str, new_database: Callable[..., str], owners: bool) -> None:
    """PostgreSQL makes them again as whoever changes the type; without --owners they keep the one they have."""
    comparison = Comparison(owners=owners)
    table = "CREATE TABLE t (a {}, b int); CREATE STATISTICS s ON a, b FROM t; ALTER STATISTICS s OWNER TO {}"
    current, goal = new_database(), new_database()
    with psycopg.connect(goal, autocommit=True) as connection:
        connection.execute(table.format("bigint", owner if owners else "CURRENT_USER"))
        desired = snapshot(connection)
    with psycopg.connect(current, autocommit=True) as connection:
        connection.execute(table.format("int", owner))
        execute(connection, draft(snapshot(connection), desired, EVERYTHING, comparison))
        after = snapshot(connection)
    assert diff(after, desired, EVERYTHING, comparison) == {}
    assert [o.owner for o in after if o.kind == "statistics object"] == [owner]
