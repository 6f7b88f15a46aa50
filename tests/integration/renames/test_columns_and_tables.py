"""Columns and tables are renamed with what is in them, alone and along with other changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.planning.plan import Plan
from novaops.project import Project
from tests.integration.renames.conftest import sql

Renamed = Callable[..., Plan]

T = "CREATE TABLE t (id int PRIMARY KEY, a text, c int);\n"
ROWS = "INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)"


def test_column(renamed: Renamed) -> None:
    plan = renamed(
        T,
        "CREATE TABLE t (\n    id int PRIMARY KEY,\n    b text, -- novaops: renamed from a\n    c int\n);",
        rows=ROWS,
        check="SELECT array_agg(b ORDER BY id) = '{x,y}' FROM t",
    )
    assert sql(plan) == ["ALTER TABLE public.t RENAME COLUMN a TO b"]
    assert [(c.operation, c.object, c.detail) for c in plan.changes] == [("rename", "public.t.a", ("→ b",))]
    assert plan.summary["rename"] == 1
    assert plan.changes[0].source is not None
    assert plan.changes[0].source.line == 3


def test_column_with_type_not_null_and_comment(renamed: Renamed) -> None:
    plan = renamed(
        "CREATE TABLE t (id int PRIMARY KEY, a varchar(10), c int); CREATE VIEW v AS SELECT a FROM t;"
        "COMMENT ON COLUMN t.a IS 'before'; CREATE INDEX t_a_idx ON t (a)",
        "CREATE TABLE t (id int PRIMARY KEY,\n b text NOT NULL, -- novaops: renamed from a\n c int);"
        "CREATE VIEW v AS SELECT b AS a FROM t; COMMENT ON COLUMN t.b IS 'after'; CREATE INDEX ON t (b)",
        rows=ROWS,
        check="SELECT array_agg(b ORDER BY id) = '{x,y}', (SELECT attnum = 2 FROM pg_attribute"
        " WHERE attrelid = 't'::regclass AND attname = 'b') FROM t",
    )
    assert sql(plan)[-1] == "ALTER TABLE public.t RENAME COLUMN a TO b"
    assert not any("DROP COLUMN" in s or "CREATE INDEX" in s for s in sql(plan))


def test_table_takes_the_names_of_what_it_holds_along(renamed: Renamed) -> None:
    plan = renamed(
        "CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE CHECK (a > 0), n int GENERATED ALWAYS AS IDENTITY);"
        "CREATE INDEX ON t (n); CREATE TABLE other (t_id int REFERENCES t);"
        "CREATE VIEW v AS SELECT id FROM t; CREATE POLICY p ON t USING (a > 1);"
        "CREATE STATISTICS t_id_a_stat ON id, a FROM t",
        "-- novaops: renamed from t\n"
        "CREATE TABLE u (id serial PRIMARY KEY, a int UNIQUE CHECK (a > 0), n int GENERATED ALWAYS AS IDENTITY);"
        "CREATE INDEX ON u (n); CREATE TABLE other (t_id int REFERENCES u);"
        "CREATE VIEW v AS SELECT id FROM u; CREATE POLICY p ON u USING (a > 1);"
        "CREATE STATISTICS u_id_a_stat ON id, a FROM u",
        rows="INSERT INTO t (a) VALUES (5), (6)",
        check="SELECT count(*) = 2, max(id) = 2, nextval('u_id_seq') = 3 FROM u",
    )
    assert all(" RENAME " in s for s in sql(plan)), sql(plan)
    assert sql(plan)[-1] == "ALTER TABLE public.t RENAME TO u"


def test_table_with_a_changed_and_a_renamed_column(renamed: Renamed) -> None:
    renamed(
        T + "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT * FROM t; END",
        "-- novaops: renamed from t\nCREATE TABLE u (id bigint PRIMARY KEY,\n b text NOT NULL, -- novaops: renamed from a\n"
        " c int, d int DEFAULT 3);"
        "CREATE FUNCTION f() RETURNS SETOF u LANGUAGE sql BEGIN ATOMIC SELECT * FROM u; END",
        rows=ROWS,
        check="SELECT array_agg(b ORDER BY id) = '{x,y}', min(d) = 3 FROM u",
    )


def test_exchange_of_two_columns(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE t (a int, b text)",
        "CREATE TABLE t (\n b int, -- novaops: renamed from a\n a text -- novaops: renamed from b\n)",
        rows="INSERT INTO t VALUES (1, 'x')",
        check="SELECT b = 1, a = 'x' FROM t",
    )


def test_chain_of_tables(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE a (x int PRIMARY KEY); CREATE TABLE b (y text PRIMARY KEY)",
        "CREATE TABLE b (x int PRIMARY KEY); -- novaops: renamed from a\n"
        "CREATE TABLE c (y text PRIMARY KEY); -- novaops: renamed from b\n",
        rows="INSERT INTO a VALUES (1); INSERT INTO b VALUES ('y')",
        check="SELECT b.x = 1, c.y = 'y' FROM b, c",
    )


def test_the_old_name_is_used_again(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE users (id int PRIMARY KEY, mail text)",
        "CREATE TABLE people (id int PRIMARY KEY, mail text); -- novaops: renamed from users\n"
        "CREATE TABLE users (id int PRIMARY KEY, person int REFERENCES people);",
        rows="INSERT INTO users VALUES (1, 'm')",
        check="SELECT count(*) = 1, (SELECT count(*) = 0 FROM users) FROM people",
    )


def test_into_another_schema_under_another_name(renamed: Renamed) -> None:
    plan = renamed(
        "CREATE SCHEMA s; CREATE TABLE t (id serial PRIMARY KEY)",
        "CREATE SCHEMA s;\n-- novaops: renamed from public.t\nCREATE TABLE s.u (id serial PRIMARY KEY);",
        rows="INSERT INTO t DEFAULT VALUES",
        check="SELECT count(*) = 1 FROM s.u",
    )
    assert sql(plan)[-2:] == ["ALTER TABLE public.t SET SCHEMA s", "ALTER TABLE s.t RENAME TO u"]


def test_partitioned_table(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE t (id int NOT NULL, a text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
        "-- novaops: renamed from t\nCREATE TABLE u (id int NOT NULL,\n b text, -- novaops: renamed from a\n"
        " PRIMARY KEY (id)) PARTITION BY RANGE (id);\n"
        "-- novaops: renamed from t1\nCREATE TABLE u1 PARTITION OF u FOR VALUES FROM (0) TO (10)",
        rows="INSERT INTO t VALUES (1, 'x')",
        check="SELECT b = 'x' FROM u1",
    )


def test_column_of_a_partitioned_table_with_indexes_named_after_it(renamed: Renamed) -> None:
    plan = renamed(
        "CREATE TABLE t (id int NOT NULL, a int NOT NULL, UNIQUE (id, a)) PARTITION BY RANGE (id);"
        "CREATE INDEX ON t (a); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE t (id int NOT NULL,\n b int NOT NULL, -- novaops: renamed from a\n"
        "UNIQUE (id, b)) PARTITION BY RANGE (id);"
        "CREATE INDEX ON t (b); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
        rows="INSERT INTO t VALUES (1, 2)",
        check="SELECT b = 2 FROM t1",
    )
    assert all(" RENAME " in s for s in sql(plan)), sql(plan)


def test_column_that_children_inherit(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE p (a int CHECK (a > 0)); CREATE TABLE c (x int) INHERITS (p)",
        "CREATE TABLE p (\n b int CHECK (b > 0) -- novaops: renamed from a\n); CREATE TABLE c (x int) INHERITS (p)",
        rows="INSERT INTO c VALUES (1, 2)",
        check="SELECT b = 1 FROM c",
    )


def test_column_that_is_declared_in_parent_and_child(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE p (a int); CREATE TABLE c (a int, x int) INHERITS (p)",
        "CREATE TABLE p (\n b int -- novaops: renamed from a\n);"
        "CREATE TABLE c (\n b int, -- novaops: renamed from a\n x int) INHERITS (p)",
        rows="INSERT INTO c VALUES (1, 2)",
        check="SELECT b = 1 FROM c",
    )


def test_table_that_is_made_anew(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE t (id int, a text)",
        "-- novaops: renamed from t\nCREATE TABLE u (id int,\n b text -- novaops: renamed from a\n) PARTITION BY LIST (id);"
        "CREATE TABLE u1 PARTITION OF u DEFAULT",
        rows="INSERT INTO t VALUES (1, 'x')",
        check="SELECT b = 'x' FROM u1",
        allow=("offline:public.t",),
    )


def test_functions_take_the_new_names_in_the_transaction_that_gives_them(renamed: Renamed) -> None:
    body = "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT count({0}) FROM {1}); END$$;"
    plan = renamed(
        "CREATE TABLE t (id int, a text);" + body.format("a", "t"),
        "-- novaops: renamed from t\nCREATE TABLE u (id int,\n b text NOT NULL -- novaops: renamed from a\n);"
        + body.format("b", "u"),
        rows="INSERT INTO t VALUES (1, 'x')",
        check="SELECT f() = 1",
    )
    numbers = {s.transaction for s in plan.statements if "FUNCTION" in s.sql or "RENAME" in s.sql}
    assert len(numbers) == 1
    assert len({s.transaction for s in plan.statements}) > 1


def test_what_runs_a_function_waits_for_those_that_change_late(renamed: Renamed) -> None:
    inner = "CREATE FUNCTION {} RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 7; END';"
    outer = "CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN public.z(); END';"
    renamed(
        "CREATE TABLE t (a int)",
        "CREATE TABLE u (a int); -- novaops: renamed from t\n"
        + inner.format("z()")
        + outer
        + "CREATE MATERIALIZED VIEW mv AS SELECT g() AS g",
        check="SELECT g = 7 FROM mv",
    )


def test_hazards_are_found_in_the_rows_under_the_present_names(project: Callable[..., Project]) -> None:
    changed = project(
        "CREATE TABLE t (id int, a bigint, gone text)",
        "-- novaops: renamed from t\nCREATE TABLE u (id int UNIQUE,\n b int NOT NULL -- novaops: renamed from a\n);",
        "INSERT INTO t VALUES (1, 5000000000, 'x'), (1, NULL, NULL)",
    )
    told = {h.consent: h.affected for h in changed.plan().blocked}
    # Until 17 a NOT NULL is the column's, and no constraint with a name.
    assert {c for c in told if not c.startswith("not-null:")} == {
        "data-loss:public.t.gone",
        "check:public.t.a",  # PostgreSQL refuses the value, and so nothing is narrowed
        "unique:u_id_key on public.t",
    }
    assert len(told) == 4
    assert told["data-loss:public.t.gone"] == 1
    assert told["unique:u_id_key on public.t"] == 2


def test_function_of_a_renamed_type(renamed: Renamed) -> None:
    renamed(
        "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (v e);"
        "CREATE FUNCTION f(e[], t) RETURNS e LANGUAGE sql AS 'SELECT $1[1]'",
        "CREATE TYPE d AS ENUM ('a'); -- novaops: renamed from e\n"
        "CREATE TABLE u (v d); -- novaops: renamed from t\n"
        "-- novaops: renamed from f\nCREATE FUNCTION g(d[], u) RETURNS d LANGUAGE sql AS 'SELECT $1[1]'",
    )


def test_renamed_schema_with_renamed_things_in_it(renamed: Renamed) -> None:
    renamed(
        "CREATE SCHEMA s; CREATE TABLE s.t (id serial PRIMARY KEY, a text); CREATE INDEX i ON s.t (a);"
        "CREATE FUNCTION s.f(s.t) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE DOMAIN s.d AS int CONSTRAINT c CHECK (VALUE > 0)",
        "CREATE SCHEMA r; -- novaops: renamed from s\n"
        "-- novaops: renamed from t\n"
        "CREATE TABLE r.u (id serial PRIMARY KEY,\n b text -- novaops: renamed from a\n);\n"
        "CREATE INDEX j ON r.u (b); -- novaops: renamed from i\n"
        "CREATE FUNCTION r.g(r.u) RETURNS int LANGUAGE sql AS 'SELECT 1'; -- novaops: renamed from f\n"
        "CREATE DOMAIN r.d AS int\n CONSTRAINT k CHECK (VALUE > 0); -- novaops: renamed from c\n",
        rows="INSERT INTO s.t (a) VALUES ('x')",
        check="SELECT b = 'x' FROM r.u",
        schemas=("r",),
    )


def test_exchange_of_two_tables_that_refer_to_each_other(renamed: Renamed) -> None:
    renamed(
        "CREATE TABLE a (id int PRIMARY KEY, x text); CREATE TABLE b (id int PRIMARY KEY REFERENCES a, y int)",
        "CREATE TABLE b (id int PRIMARY KEY, x text); -- novaops: renamed from a\n"
        "CREATE TABLE a (id int PRIMARY KEY REFERENCES b, y int); -- novaops: renamed from b\n",
        rows="INSERT INTO a VALUES (1, 'x'); INSERT INTO b VALUES (1, 7)",
        check="SELECT x = 'x', y = 7 FROM a JOIN b USING (id)",
    )


def test_what_is_ignored_is_not_renamed(project: Callable[..., Project], tmp_path: Path) -> None:
    (tmp_path / "ignore").write_text('[tables]\npatterns = ["t"]\n')
    files = "CREATE TABLE u (a int); -- novaops: renamed from t\n"
    made = project("CREATE TABLE t (a int)", files, ignore_file=tmp_path / "ignore")
    with pytest.raises(DiagnosticsError, match="is ignored by"):
        made.plan()


DEPENDANTS = """
CREATE TABLE t (id int PRIMARY KEY, {a} int DEFAULT 1 CHECK ({a} > 0), g int GENERATED ALWAYS AS ({a} + 1) STORED,
    UNIQUE (id, {a}));{directive}
CREATE TABLE child (id int, c int, FOREIGN KEY (id, c) REFERENCES t (id, {a}));
CREATE INDEX partial ON t (id) WHERE {a} > 5;
CREATE INDEX expression ON t (abs({a}));
CREATE STATISTICS both_columns ON id, {a} FROM t;
CREATE VIEW v AS SELECT id, {a} AS shown FROM t WHERE {a} < 9;
CREATE MATERIALIZED VIEW mv AS SELECT max({a}) AS top FROM t;
CREATE POLICY p ON t USING ({a} > 1);
CREATE RULE r AS ON DELETE TO t WHERE old.{a} = 3 DO INSTEAD NOTHING;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE UPDATE OF {a} ON t FOR EACH ROW WHEN (new.{a} > 2) EXECUTE FUNCTION tf();
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT sum({a}) FROM t; END;
CREATE PUBLICATION pub FOR TABLE t (id, {a}) WHERE (id > 0);
GRANT SELECT ({a}) ON t TO PUBLIC;
COMMENT ON COLUMN t.{a} IS 'c';
"""


def test_what_refers_to_a_column_follows(renamed: Renamed) -> None:
    plan = renamed(
        DEPENDANTS.format(a="a", directive=""),
        DEPENDANTS.format(a="b", directive="").replace(
            "CREATE TABLE t (id int PRIMARY KEY, ",
            "CREATE TABLE t (id int PRIMARY KEY,\n-- novaops: renamed from a\n",
        ),
        rows="INSERT INTO t VALUES (1, 7)",
        check="SELECT f() = 7",
        scope="database",
    )
    assert all(" RENAME " in s for s in sql(plan)), sql(plan)


def test_what_is_built_with_commits_is_renamed_too(renamed: Renamed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novaops.desired.declare.LOCKS_OF_A_STATEMENT", 1_000_000)
    renamed(T, T.replace("TABLE t", "TABLE u").replace(";", "; -- novaops: renamed from t"), rows=ROWS)


def test_column_of_a_view_by_the_file(project: Callable[..., Project]) -> None:
    changed = project(
        "CREATE VIEW v AS SELECT 1 AS a; CREATE VIEW w AS SELECT a AS x FROM v",
        "CREATE VIEW v AS SELECT 1 AS b; CREATE VIEW w AS SELECT b AS x FROM v",
    )
    entry = '{"renames": [{"table": "v", "column": {"from": "a", "to": "b"}}]}'
    (Path(changed.file).parent / "renames.json").write_text(entry)
    plan = changed.plan()
    assert sql(plan) == ["ALTER TABLE public.v RENAME COLUMN a TO b"]
    assert changed.apply(plan).left == ()
    assert changed.plan().statements == ()
