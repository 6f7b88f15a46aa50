"""Every kind of object that PostgreSQL can rename keeps its oid, alone and along with other changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.desired.build import Desired, build
from novaops.desired.files import load
from novaops.desired.renames_file import RenamesFile
from novaops.kinds import registry
from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from novaops.planning.scope import Scope
from novaops.planning.statements import Written
from novaops.project.renames import renaming

Connection = psycopg.Connection[Any]
EVERYTHING = Scope(frozenset({"public"}), whole=True)
FROM = "-- novaops: renamed from"
T = "CREATE TABLE t (a int, b text);\n"
TRIGGER_FUNCTION = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"

# Kind: what there is, what the files say, and what they say when more has changed.
# fmt: off
CASES = {
    "table": ("CREATE TABLE x (a int)", f"{FROM} x\nCREATE TABLE y (a int)", f"{FROM} x\nCREATE TABLE y (a text, c int)"),
    "column": (T, f"CREATE TABLE t (\n c int, {FROM} a\n b text)", f"CREATE TABLE t (\n c bigint NOT NULL, {FROM} a\n b text)"),
    "view": (T + "CREATE VIEW x AS SELECT a FROM t", T + f"{FROM} x\nCREATE VIEW y AS SELECT a FROM t",
             T + f"{FROM} x\nCREATE VIEW y WITH (security_barrier) AS SELECT a, b FROM t"),
    "materialized view": (T + "CREATE MATERIALIZED VIEW x AS SELECT a FROM t",
                          T + f"{FROM} x\nCREATE MATERIALIZED VIEW y AS SELECT a FROM t",
                          T + f"{FROM} x\nCREATE MATERIALIZED VIEW y WITH (fillfactor = 70) AS SELECT a FROM t"),
    "index": (T + "CREATE INDEX x ON t (a)", T + f"CREATE INDEX y ON t (a) {FROM} x\n",
              T + f"CREATE INDEX y ON t (a) WITH (fillfactor = 70); {FROM} x\n"),
    "constraint": ("CREATE TABLE t (a int, CONSTRAINT x CHECK (a > 0))",
                   f"CREATE TABLE t (a int,\n CONSTRAINT y CHECK (a > 0) {FROM} x\n)",
                   f"CREATE TABLE t (a int,\n CONSTRAINT y CHECK (a > 0) {FROM} x\n); COMMENT ON CONSTRAINT y ON t IS 'c'"),
    "key added later": ("CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT x UNIQUE (a)",
                        "CREATE TABLE t (a int);\n"
                        f"ALTER TABLE ONLY t\n ADD CONSTRAINT y UNIQUE (a); {FROM} x\n",
                        f"CREATE TABLE t (a int, c int);\n{FROM} x\nALTER TABLE ONLY t\n ADD CONSTRAINT y UNIQUE (a);\n"),
    "function": ("CREATE FUNCTION x(i int) RETURNS int LANGUAGE sql AS 'SELECT i'",
                 f"{FROM} x\nCREATE FUNCTION y(i int) RETURNS int LANGUAGE sql AS 'SELECT i'",
                 f"{FROM} x\nCREATE FUNCTION y(i int) RETURNS int STABLE LANGUAGE sql AS 'SELECT i + 1'"),
    "procedure": ("CREATE PROCEDURE x(i int) LANGUAGE sql AS ''", f"{FROM} x\nCREATE PROCEDURE y(i int) LANGUAGE sql AS ''",
                  f"{FROM} x\nCREATE PROCEDURE y(i int) LANGUAGE sql AS 'SELECT 1'"),
    "aggregate": ("CREATE AGGREGATE x(int) (sfunc = int4pl, stype = int)", f"{FROM} x\nCREATE AGGREGATE y(int) (sfunc = int4pl, stype = int)",
                  f"{FROM} x\nCREATE AGGREGATE y(int) (sfunc = int4pl, stype = int, initcond = '1')"),
    "enum": ("CREATE TYPE x AS ENUM ('a')", f"{FROM} x\nCREATE TYPE y AS ENUM ('a')", f"{FROM} x\nCREATE TYPE y AS ENUM ('a', 'b')"),
    "label": ("CREATE TYPE e AS ENUM ('x', 'z')", f"CREATE TYPE e AS ENUM (\n'y', {FROM} 'x'\n'z')",
              f"{FROM} e\nCREATE TYPE f AS ENUM (\n'y', {FROM} 'x'\n'yy',\n'z')"),
    "composite": ("CREATE TYPE x AS (a int)", f"{FROM} x\nCREATE TYPE y AS (a int)", f"{FROM} x\nCREATE TYPE y AS (a int, b text)"),
    "attribute": ("CREATE TYPE e AS (x int, z int)", f"CREATE TYPE e AS (\ny int, {FROM} x\nz int)",
                  f"{FROM} e\nCREATE TYPE f AS (\ny bigint, {FROM} x\nz int)"),
    "domain": ("CREATE DOMAIN x AS int", f"{FROM} x\nCREATE DOMAIN y AS int", f"{FROM} x\nCREATE DOMAIN y AS int DEFAULT 1"),
    "domain constraint": ("CREATE DOMAIN d AS int CONSTRAINT x CHECK (VALUE > 0)",
                          f"CREATE DOMAIN d AS int\nCONSTRAINT y CHECK (VALUE > 0) {FROM} x\n",
                          f"{FROM} d\nCREATE DOMAIN e AS int DEFAULT 3\nCONSTRAINT y CHECK (VALUE > 0) {FROM} x\n"),
    "range": ("CREATE TYPE xrange AS RANGE (subtype = int)", f"{FROM} xrange\nCREATE TYPE yrange AS RANGE (subtype = int)",
              f"{FROM} xrange\nCREATE TYPE yrange AS RANGE (subtype = int); COMMENT ON TYPE yrange IS 'c'"),
    "sequence": ("CREATE SEQUENCE x", f"{FROM} x\nCREATE SEQUENCE y", f"{FROM} x\nCREATE SEQUENCE y INCREMENT BY 5"),
    "trigger": (T + TRIGGER_FUNCTION + "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
                T + TRIGGER_FUNCTION + f"{FROM} x\nCREATE TRIGGER y BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
                T + TRIGGER_FUNCTION + f"{FROM} x\nCREATE TRIGGER y AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()"),
    "policy": (T + "CREATE POLICY x ON t USING (a > 0)", T + f"{FROM} x\nCREATE POLICY y ON t USING (a > 0)",
               T + f"{FROM} x\nCREATE POLICY y ON t USING (a > 1)"),
    "rule": (T + "CREATE RULE x AS ON DELETE TO t DO INSTEAD NOTHING", T + f"{FROM} x\nCREATE RULE y AS ON DELETE TO t DO INSTEAD NOTHING",
             T + f"{FROM} x\nCREATE RULE y AS ON DELETE TO t DO ALSO NOTHING"),
    "schema": ("CREATE SCHEMA x; CREATE TABLE x.t (a int)", f"{FROM} x\nCREATE SCHEMA y; CREATE TABLE y.t (a int)",
               f"{FROM} x\nCREATE SCHEMA y; CREATE TABLE y.t (\nb bigint {FROM} a\n)"),
    "statistics object": (T + "CREATE STATISTICS x ON a, b FROM t", T + f"{FROM} x\nCREATE STATISTICS y ON a, b FROM t",
                          T + f"{FROM} x\nCREATE STATISTICS y ON a, b FROM t; ALTER STATISTICS y SET STATISTICS 9"),
    "collation": ("CREATE COLLATION x (locale = 'C')", f"{FROM} x\nCREATE COLLATION y (locale = 'C')",
                  f"{FROM} x\nCREATE COLLATION y (locale = 'C'); COMMENT ON COLLATION y IS 'c'"),
    "conversion": ("CREATE CONVERSION x FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
                   f"{FROM} x\nCREATE CONVERSION y FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
                   f"{FROM} x\nCREATE CONVERSION y FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; COMMENT ON CONVERSION y IS 'c'"),
    "text search configuration": ("CREATE TEXT SEARCH CONFIGURATION x (PARSER = default)",
                                  f"{FROM} x\nCREATE TEXT SEARCH CONFIGURATION y (PARSER = default)",
                                  f"{FROM} x\nCREATE TEXT SEARCH CONFIGURATION y (PARSER = default);"
                                  "ALTER TEXT SEARCH CONFIGURATION y ADD MAPPING FOR word WITH simple"),
    "text search dictionary": ("CREATE TEXT SEARCH DICTIONARY x (TEMPLATE = simple)",
                               f"{FROM} x\nCREATE TEXT SEARCH DICTIONARY y (TEMPLATE = simple)",
                               f"{FROM} x\nCREATE TEXT SEARCH DICTIONARY y (TEMPLATE = simple, accept = false)"),
    "text search parser": (
        "CREATE TEXT SEARCH PARSER x (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)",
        f"{FROM} x\nCREATE TEXT SEARCH PARSER y (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)",
        f"{FROM} x\nCREATE TEXT SEARCH PARSER y (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);"
        "COMMENT ON TEXT SEARCH PARSER y IS 'c'"),
    "text search template": ("CREATE TEXT SEARCH TEMPLATE x (LEXIZE = dsimple_lexize)", f"{FROM} x\nCREATE TEXT SEARCH TEMPLATE y (LEXIZE = dsimple_lexize)",
                             f"{FROM} x\nCREATE TEXT SEARCH TEMPLATE y (LEXIZE = dsimple_lexize); COMMENT ON TEXT SEARCH TEMPLATE y IS 'c'"),
    "operator family": ("CREATE OPERATOR FAMILY x USING btree", f"{FROM} x\nCREATE OPERATOR FAMILY y USING btree",
                        f"{FROM} x\nCREATE OPERATOR FAMILY y USING btree; COMMENT ON OPERATOR FAMILY y USING btree IS 'c'"),
    "operator class": ("CREATE OPERATOR FAMILY f USING btree; CREATE OPERATOR CLASS x FOR TYPE int USING btree FAMILY f AS STORAGE int",
                       f"CREATE OPERATOR FAMILY f USING btree;\n{FROM} x\nCREATE OPERATOR CLASS y FOR TYPE int USING btree FAMILY f AS STORAGE int",
                       f"{FROM} f\nCREATE OPERATOR FAMILY g USING btree;\n{FROM} x\nCREATE OPERATOR CLASS y FOR TYPE int USING btree FAMILY g AS STORAGE int;"
                       "COMMENT ON OPERATOR CLASS y USING btree IS 'c'"),
    "foreign data wrapper": ("CREATE FOREIGN DATA WRAPPER x", f"{FROM} x\nCREATE FOREIGN DATA WRAPPER y",
                             f"{FROM} x\nCREATE FOREIGN DATA WRAPPER y OPTIONS (a 'b')"),
    "server": ("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER x FOREIGN DATA WRAPPER w",
               f"CREATE FOREIGN DATA WRAPPER w;\n{FROM} x\nCREATE SERVER y FOREIGN DATA WRAPPER w",
               f"CREATE FOREIGN DATA WRAPPER w;\n{FROM} x\nCREATE SERVER y VERSION '2' FOREIGN DATA WRAPPER w"),
    "foreign table": ("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE x (a int) SERVER s",
                      f"CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;\n{FROM} x\nCREATE FOREIGN TABLE y (a int) SERVER s",
                      "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;\n"
                      f"{FROM} x\nCREATE FOREIGN TABLE y (\nb text {FROM} a\n) SERVER s"),
    "language": ("CREATE LANGUAGE x HANDLER plpgsql_call_handler", f"{FROM} x\nCREATE LANGUAGE y HANDLER plpgsql_call_handler",
                 f"{FROM} x\nCREATE LANGUAGE y HANDLER plpgsql_call_handler VALIDATOR plpgsql_validator"),
    "event trigger": ("CREATE FUNCTION ef() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER x ON sql_drop EXECUTE FUNCTION ef()",
                      "CREATE FUNCTION ef() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';\n"
                      f"{FROM} x\nCREATE EVENT TRIGGER y ON sql_drop EXECUTE FUNCTION ef()",
                      "CREATE FUNCTION ef() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';\n"
                      f"{FROM} x\nCREATE EVENT TRIGGER y ON sql_drop EXECUTE FUNCTION ef(); ALTER EVENT TRIGGER y DISABLE"),
    "publication": (T + "CREATE PUBLICATION x FOR TABLE t", T + f"{FROM} x\nCREATE PUBLICATION y FOR TABLE t",
                    T + f"{FROM} x\nCREATE PUBLICATION y FOR TABLE t WITH (publish = 'insert')"),
    "subscription": ("CREATE SUBSCRIPTION x CONNECTION 'dbname=a' PUBLICATION p WITH (connect = false)",
                     f"{FROM} x\nCREATE SUBSCRIPTION y CONNECTION 'dbname=a' PUBLICATION p WITH (connect = false, slot_name = x)",
                     f"{FROM} x\nCREATE SUBSCRIPTION y CONNECTION 'dbname=a' PUBLICATION p WITH (connect = false, slot_name = x, binary)"),
}
# fmt: on


@pytest.fixture(scope="module")
def pair(server_url: str, database_url: Callable[[str], str]) -> Iterator[tuple[Connection, Connection]]:
    """Connections to a live database and a shadow; every test leaves both as they were."""
    names = ("renames_live", "renames_shadow")
    with psycopg.connect(server_url, autocommit=True) as server:
        for name in names:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with (
            psycopg.connect(database_url(names[0]), autocommit=True) as live,
            psycopg.connect(database_url(names[1])) as shadow,
        ):
            yield live, shadow
        for name in names:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def reached(pair: tuple[Connection, Connection], folder: Path, old: str, files: str) -> list[str]:
    """Execute the plan from `old` to the files; fails unless that leads there, and all oids are kept."""
    live, shadow = pair
    file = folder / "schema.sql"
    file.write_text(files)
    script = load(file)
    with live.transaction(force_rollback=True):
        live.execute(old)
        before = snapshot(live)

        def desired(now: Snapshot) -> Desired:
            asked = renaming(script, RenamesFile(()), lambda: now, EVERYTHING.excluded)
            readers = list(registry().values())
            return build(shadow, script.statements, readers=readers, check_functions="off", renaming=asked)

        declared = desired(before)
        assert declared.renamed is not None
        last = [Written(step, obj, "rename") for obj, step in declared.renamed.steps]
        made = draft(before, declared.renamed.snapshot, EVERYTHING, Comparison(), last=last)
        statements = [written.step.sql for written in made.written]
        live.execute("SET LOCAL check_function_bodies = off")
        for statement in statements:
            live.execute(statement)
        after = snapshot(live)
        assert diff(after, declared.snapshot, EVERYTHING, Comparison()) == {}, statements
        now = {address: oid for oid, address in after.claims.items()}
        for name in declared.renamed.names:
            oid = now[name.declared.address]
            assert before.claims[oid] == name.present.address
        assert desired(after).renamed is None
    return statements


def snapshot(connection: Connection) -> Snapshot:
    with connection.transaction():
        return read(connection, list(registry().values()))


@pytest.mark.parametrize("kind", CASES)
def test_renamed_alone(pair: tuple[Connection, Connection], tmp_path: Path, kind: str) -> None:
    old, alone, _ = CASES[kind]
    statements = reached(pair, tmp_path, old, alone)
    assert all(statement.startswith("ALTER ") and " RENAME " in statement for statement in statements)


@pytest.mark.parametrize("kind", CASES)
def test_renamed_along_with_other_changes(
    pair: tuple[Connection, Connection], tmp_path: Path, kind: str
) -> None:
    old, _, more = CASES[kind]
    statements = reached(pair, tmp_path, old, more)
    assert len(statements) > sum(" RENAME " in statement for statement in statements) > 0


def test_every_kind_with_a_rename_of_its_own_has_a_case() -> None:
    without = {name for name, kind in registry().items() if not kind.renames}
    # Only a superuser makes a base type, and ALTER TYPE renames it as it does other types.
    assert set(registry()) - without - {"base type"} <= set(CASES)
