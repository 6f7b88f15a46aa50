"""What PostgreSQL refuses while an object exists is what its kind says it does."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.kinds.conftest import Connection, snapshot

from novaops.kinds import registry

SETUP = """
CREATE TYPE c AS (x int, y text);
CREATE TABLE t (a int, b int, d c, g int GENERATED ALWAYS AS (b + 1) STORED);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE PUBLICATION p;
"""
TRIGGER = "FOR EACH ROW {} EXECUTE FUNCTION f()"
OBJECTS = {
    "view": "CREATE VIEW o AS SELECT a, g, (d).x FROM t",
    "materialized view": "CREATE MATERIALIZED VIEW o AS SELECT a, g, (d).x FROM t",
    "rule": "CREATE RULE o AS ON INSERT TO t WHERE new.a > 1 AND new.g > 1 AND (new.d).x > 1 DO INSTEAD NOTHING",
    "trigger": "CREATE TRIGGER o AFTER UPDATE ON t FOR EACH ROW"
    " WHEN (new.a > 1 AND new.g > 1 AND (new.d).x > 1) EXECUTE FUNCTION f()",
    "policy": "CREATE POLICY o ON t USING (a > 1 AND g > 1 AND (d).x > 1)",
    "function": "CREATE FUNCTION o() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + g + (d).x FROM t; END",
    "procedure": "CREATE PROCEDURE o() LANGUAGE sql BEGIN ATOMIC SELECT a + g + (d).x FROM t; END",
    "publication relation": "ALTER PUBLICATION p ADD TABLE t (a) WHERE (a > 1)",
    "statistics object": "CREATE STATISTICS o ON a, g, ((d).x) FROM t",
}
STRING_BODIES = {
    "function": "CREATE FUNCTION o() RETURNS int LANGUAGE sql AS 'SELECT a + g + (d).x FROM t'",
    "procedure": "CREATE PROCEDURE o() LANGUAGE sql AS 'SELECT a + g + (d).x FROM t'",
}
EFFECTS = {"column type": "ALTER TABLE t ALTER a TYPE bigint"}


def refused(database: Connection, statement: str) -> bool:
    try:
        with database.transaction(force_rollback=True):
            database.execute(statement)
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.DependentObjectsStillExist):
        return True
    return False


@pytest.mark.parametrize(("kind", "text"), [*OBJECTS.items(), *STRING_BODIES.items()])
def test_refused(database: Connection, kind: str, text: str) -> None:
    database.execute(SETUP + text)
    (obj,) = (o for o in snapshot(database) if o.kind == kind and o.name != "f")
    effects = {
        "column type": "ALTER TABLE t ALTER a TYPE bigint",
        "attribute type": "ALTER TYPE c ALTER ATTRIBUTE x TYPE bigint",
        "column expression": "ALTER TABLE t ALTER g SET EXPRESSION AS (b + 2)",
    }
    for e,s in effects.items():
        try:
            with database.transaction(force_rollback=True): database.execute(s)
            print(kind,e,'OK')
        except Exception as x: print(kind,e,x)
