"""Whatever can be said of an object is seen: each statement makes a difference between two snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from novaops.catalog.snapshot import Snapshot
from novaops.planning.diff import Comparison, diff
from novaops.planning.privileges import PrivilegeMode
from tests.integration.convergence.conftest import EVERYTHING, snapshot
from tests.integration.kinds.conftest import passing

Connection = psycopg.Connection[Any]

SCHEMA = """
CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION tg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE pr() LANGUAGE sql AS '';
CREATE AGGREGATE agg(int) (sfunc = int4pl, stype = int);
CREATE TYPE en AS ENUM ('a','b');
CREATE TYPE co AS (a int, b text);
CREATE DOMAIN d AS int CONSTRAINT dc CHECK (VALUE > 0);
CREATE TYPE rg AS RANGE (subtype = int4);
CREATE TABLE o (id int PRIMARY KEY, u int UNIQUE);
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a text DEFAULT 'x', b int REFERENCES o DEFERRABLE, c int NOT NULL, CONSTRAINT ck CHECK (c > 0), CONSTRAINT ex EXCLUDE USING gist (int4range(c, c+1) WITH &&)) ;
CREATE TABLE ch () INHERITS (t);
CREATE TABLE pt (a int NOT NULL, b int CHECK (b > 0)) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF pt FOR VALUES IN (1);
CREATE INDEX pi ON pt (b);
CREATE TRIGGER ptg BEFORE INSERT ON pt FOR EACH ROW EXECUTE FUNCTION tg();
ALTER TABLE pt ADD CONSTRAINT pfk FOREIGN KEY (b) REFERENCES o;
CREATE INDEX i ON t (lower(a));
CREATE STATISTICS st ON a, b FROM t;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tg();
CREATE VIEW v AS SELECT id, a FROM t;
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t;
CREATE UNIQUE INDEX mi ON m (id);
CREATE RULE ru AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE POLICY po ON t;
CREATE SEQUENCE sq;
CREATE COLLATION cl (locale = 'C');
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE ft (a int, CONSTRAINT fc CHECK (a > 0)) SERVER s;
CREATE USER MAPPING FOR pg_monitor SERVER s;
CREATE PUBLICATION pub FOR TABLE o;
CREATE SCHEMA sc;
CREATE PUBLICATION pubs FOR TABLES IN SCHEMA sc;
CREATE EVENT TRIGGER ev ON ddl_command_start EXECUTE FUNCTION et();
ALTER EVENT TRIGGER ev DISABLE;
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
CREATE OPERATOR FAMILY ofa USING btree;
CREATE OPERATOR CLASS oc FOR TYPE int USING btree FAMILY ofa AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int,int);
CREATE TEXT SEARCH CONFIGURATION tc (COPY = simple);
CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = simple);
CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE ACCESS METHOD am TYPE TABLE HANDLER heap_tableam_handler;
CREATE LANGUAGE plx HANDLER plpgsql_call_handler;
"""
STATEMENTS = """
COMMENT ON CONSTRAINT ck ON ch IS 'x'
COMMENT ON CONSTRAINT dc ON DOMAIN d IS 'x'
COMMENT ON COLUMN co.a IS 'x'
COMMENT ON COLUMN v.a IS 'x'
COMMENT ON COLUMN m.a IS 'x'
COMMENT ON COLUMN ft.a IS 'x'
COMMENT ON INDEX o_pkey IS 'x'
COMMENT ON INDEX p1_b_idx IS 'x'
COMMENT ON TRIGGER ptg ON p1 IS 'x'
COMMENT ON CONSTRAINT pfk ON p1 IS 'x'
COMMENT ON CONSTRAINT pt_b_check ON p1 IS 'x'
COMMENT ON TYPE en IS 'x'
COMMENT ON TYPE rg IS 'x'
COMMENT ON SEQUENCE sq IS 'x'
COMMENT ON SCHEMA sc IS 'x'
COMMENT ON PUBLICATION pub IS 'x'
COMMENT ON OPERATOR === (int, int) IS 'x'
COMMENT ON OPERATOR FAMILY ofa USING btree IS 'x'
COMMENT ON OPERATOR CLASS oc USING btree IS 'x'
COMMENT ON CONVERSION cv IS 'x'
COMMENT ON ACCESS METHOD am IS 'x'
COMMENT ON LANGUAGE plx IS 'x'
COMMENT ON EVENT TRIGGER ev IS 'x'
COMMENT ON POLICY po ON t IS 'x'
COMMENT ON RULE ru ON t IS 'x'
COMMENT ON STATISTICS st IS 'x'
COMMENT ON AGGREGATE agg(int) IS 'x'
COMMENT ON FOREIGN DATA WRAPPER w IS 'x'
COMMENT ON SERVER s IS 'x'
COMMENT ON TEXT SEARCH CONFIGURATION tc IS 'x'
ALTER TABLE t ALTER a SET STATISTICS 5
ALTER TABLE ft ALTER a SET STATISTICS 5
ALTER TABLE ft ALTER a SET (n_distinct = 5)
ALTER TABLE ft ALTER a SET NOT NULL
ALTER MATERIALIZED VIEW m ALTER a SET STORAGE PLAIN
ALTER MATERIALIZED VIEW m ALTER a SET COMPRESSION pglz
ALTER MATERIALIZED VIEW m SET (toast.autovacuum_enabled = off)
ALTER MATERIALIZED VIEW m SET (fillfactor = 50)
ALTER MATERIALIZED VIEW m CLUSTER ON mi
ALTER INDEX mi SET (fillfactor = 50)
ALTER VIEW v ALTER a SET DEFAULT 'q'
ALTER VIEW v SET (check_option = local)
ALTER VIEW v SET (security_invoker)
ALTER TABLE t SET (autovacuum_enabled = off)
ALTER TABLE t SET (toast.autovacuum_enabled = off)
ALTER INDEX o_pkey SET (fillfactor = 50)
ALTER INDEX o_pkey RENAME TO o_pk
ALTER TABLE o CLUSTER ON o_u_key
ALTER TABLE t ALTER CONSTRAINT t_b_fkey INITIALLY DEFERRED
ALTER TABLE pt ALTER CONSTRAINT pfk DEFERRABLE
ALTER TABLE t ENABLE ALWAYS TRIGGER tr
ALTER TABLE p1 DISABLE TRIGGER ptg
ALTER TABLE ONLY pt DISABLE TRIGGER ptg
ALTER TABLE t DISABLE TRIGGER ALL
ALTER TABLE t DISABLE RULE ru
ALTER TABLE t FORCE ROW LEVEL SECURITY
ALTER TABLE p1 SET UNLOGGED
ALTER TABLE t ALTER id SET GENERATED BY DEFAULT
ALTER TABLE t ALTER id SET INCREMENT 5
ALTER SEQUENCE t_id_seq SET UNLOGGED
ALTER SEQUENCE sq OWNED BY o.id
ALTER SEQUENCE sq AS smallint
ALTER SEQUENCE sq CACHE 5
ALTER STATISTICS st SET STATISTICS 9
ALTER FUNCTION f SET search_path = pg_catalog
ALTER FUNCTION f COST 5
ALTER FUNCTION f LEAKPROOF
ALTER FUNCTION f PARALLEL SAFE
ALTER PROCEDURE pr SECURITY DEFINER
ALTER DOMAIN d SET DEFAULT 4
ALTER DOMAIN d SET NOT NULL
ALTER TYPE en ADD VALUE 'c'
ALTER SERVER s VERSION '2'
ALTER SERVER s OPTIONS (host 'x')
ALTER FOREIGN TABLE ft OPTIONS (x 'y')
ALTER FOREIGN TABLE ft ALTER a OPTIONS (x 'y')
ALTER FOREIGN DATA WRAPPER w OPTIONS (x 'y')
ALTER USER MAPPING FOR pg_monitor SERVER s OPTIONS (x 'y')
ALTER PUBLICATION pub SET (publish = 'insert')
ALTER PUBLICATION pub SET TABLE o (id)
ALTER EVENT TRIGGER ev ENABLE ALWAYS
ALTER TEXT SEARCH DICTIONARY td (accept = false)
ALTER OPERATOR === (int, int) SET (restrict = eqsel)
GRANT USAGE ON TYPE en TO pg_monitor
REVOKE USAGE ON TYPE rg FROM PUBLIC
GRANT SELECT (a) ON v TO pg_monitor
GRANT SELECT (a) ON ft TO pg_monitor
GRANT SELECT ON SEQUENCE t_id_seq TO pg_monitor
GRANT USAGE ON FOREIGN DATA WRAPPER w TO pg_monitor
GRANT SELECT ON pg_stat_activity TO pg_monitor
ALTER TABLE t REPLICA IDENTITY FULL
ALTER TABLE o REPLICA IDENTITY USING INDEX o_pkey
ALTER MATERIALIZED VIEW m REPLICA IDENTITY NOTHING
ALTER TABLE pt REPLICA IDENTITY FULL
ALTER TABLE ch ALTER a DROP DEFAULT
ALTER TABLE ch ALTER a SET STORAGE PLAIN
ALTER TABLE ch ADD CONSTRAINT ck CHECK (c > 0)
ALTER TABLE ch NO INHERIT t
ALTER TABLE ONLY t DROP CONSTRAINT ck
ALTER TABLE t ALTER COLUMN c ADD GENERATED ALWAYS AS IDENTITY
ALTER INDEX i SET (fillfactor = 50)
ALTER INDEX i ALTER 1 SET STATISTICS 5
ALTER INDEX ex ALTER 1 SET STATISTICS 5
ALTER INDEX p1_b_idx SET (fillfactor = 50)
ALTER INDEX p1_b_idx RENAME TO zz
ALTER TYPE co ALTER ATTRIBUTE b TYPE varchar(3)
ALTER TYPE co ALTER ATTRIBUTE b TYPE text COLLATE "C"
ALTER TEXT SEARCH CONFIGURATION tc DROP MAPPING FOR word
ALTER OPERATOR FAMILY ofa USING btree ADD OPERATOR 1 < (int8, int8)
""".strip().splitlines()
NEWER = {
    "COMMENT ON CONSTRAINT t_c_not_null ON t IS 'x'": 18,
    "ALTER TABLE t ALTER CONSTRAINT t_b_fkey NOT ENFORCED": 18,
    "ALTER PUBLICATION pub SET (publish_generated_columns = stored)": 18,
    "ALTER OPERATOR === (int, int) SET (hashes)": 17,
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO pg_monitor": 18,
    "ALTER TABLE ch ALTER c SET NOT NULL": 18,
    "ALTER TABLE pt SET ACCESS METHOD heap": 17,
}
"""Statements by the version that has them first."""


@pytest.fixture(scope="module")
def there(server_url: str, database_url: Any) -> Iterator[tuple[Connection, Snapshot]]:
    name = "test_every_attribute"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with psycopg.connect(database_url(name), autocommit=True) as connection:
            connection.execute(SCHEMA)
            yield connection, snapshot(connection)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("statement", [*STATEMENTS, *NEWER])
def test_makes_a_difference(there: tuple[Connection, Snapshot], statement: str) -> None:
    connection, before = there
    if connection.info.server_version < NEWER.get(statement, 0) * 10000:
        pytest.skip(f"PostgreSQL {NEWER[statement]} has it first")
    with passing(connection, statement) as after:
        pass
    assert diff(before, after, EVERYTHING, Comparison(PrivilegeMode.MANAGED, owners=True))
