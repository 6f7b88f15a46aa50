"""What PostgreSQL refuses while an object exists is what its kind says."""

from __future__ import annotations

import psycopg
import pytest

from novaops.kinds import registry
from tests.integration.kinds.conftest import Connection, snapshot

SETUP = """
CREATE TYPE c AS (x int, y text);
CREATE TABLE t (a int, b int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE PUBLICATION p;
"""
EFFECTS = {
    "column type": "ALTER TABLE t ALTER a TYPE bigint",
    "attribute type": "ALTER TYPE c ALTER ATTRIBUTE x TYPE bigint",
}
OBJECTS = [
    ("view", "CREATE VIEW o AS SELECT a, (NULL::c).x FROM t"),
    ("materialized view", "CREATE MATERIALIZED VIEW o AS SELECT a, (NULL::c).x FROM t"),
    ("materialized view", "CREATE MATERIALIZED VIEW o AS SELECT a, NULL::c AS d FROM t"),
    ("rule", "CREATE RULE o AS ON INSERT TO t WHERE new.a > (NULL::c).x DO INSTEAD NOTHING"),
    (
        "trigger",
        "CREATE TRIGGER o AFTER UPDATE ON t FOR EACH ROW WHEN (new.a > (NULL::c).x) EXECUTE FUNCTION f()",
    ),
    ("policy", "CREATE POLICY o ON t USING (a > (NULL::c).x)"),
    (
        "function",
        "CREATE FUNCTION o() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + (NULL::c).x FROM t; END",
    ),
    ("procedure", "CREATE PROCEDURE o() LANGUAGE sql BEGIN ATOMIC SELECT a + (NULL::c).x FROM t; END"),
    ("function", "CREATE FUNCTION o() RETURNS int LANGUAGE sql AS 'SELECT a + (NULL::c).x FROM t'"),
    ("procedure", "CREATE PROCEDURE o() LANGUAGE sql AS 'SELECT a + (NULL::c).x FROM t'"),
    ("publication relation", "ALTER PUBLICATION p ADD TABLE t WHERE (a > 1)"),
    ("publication relation", "ALTER PUBLICATION p ADD TABLE t (a)"),
]


def refused(database: Connection, statement: str) -> bool:
    try:
        with database.transaction(force_rollback=True):
            database.execute(statement)
    except psycopg.errors.FeatureNotSupported:
        return True
    return False


@pytest.mark.parametrize(("kind", "text"), OBJECTS)
def test_refused(database: Connection, kind: str, text: str) -> None:
    database.execute(SETUP + text)
    (obj,) = (o for o in snapshot(database) if o.kind == kind and o.name != "f")
    found = {effect for effect, statement in EFFECTS.items() if refused(database, statement)}
    assert registry()[kind].refused(obj) == found


@pytest.mark.parametrize(("when", "found"), [("UPDATE", False), ("UPDATE OF a", True)])
def test_a_trigger_refuses_by_its_columns_too(database: Connection, when: str, found: bool) -> None:
    database.execute(f"{SETUP} CREATE TRIGGER o AFTER {when} ON t FOR EACH ROW EXECUTE FUNCTION f()")
    assert refused(database, EFFECTS["column type"]) is found
