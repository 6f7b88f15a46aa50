from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

from novaops import plan
from tests.integration.convergence.conftest import Converge

SERVER = "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"


def test_a_column_far_away_changes_its_type_without_conversion(converge: Converge) -> None:
    wide = SERVER + "CREATE FOREIGN TABLE far (k bigint, v text DEFAULT 'x') SERVER s"
    narrow = SERVER + "CREATE FOREIGN TABLE far (k integer, v varchar(9)) SERVER s"
    converge(wide, narrow)
    converge(narrow, wide)


def test_columns_that_a_foreign_table_comes_to_inherit(converge: Converge) -> None:
    made = SERVER + "CREATE TABLE p (a int, b text); CREATE FOREIGN TABLE f ({}) {} SERVER s;"
    converge(made.format("a int, b text, c int", ""), made.format("c int", "INHERITS (p)"))
    converge(made.format("c int", "INHERITS (p)"), made.format("a int, b text, c int", ""))


def test_a_foreign_table_inherits_from_another(converge: Converge) -> None:
    parent = SERVER + "CREATE FOREIGN TABLE p (a int, b text NOT NULL) SERVER s;"
    child = "CREATE FOREIGN TABLE f () INHERITS (p) SERVER s OPTIONS (x '1');"
    named = "ALTER FOREIGN TABLE ONLY f ALTER a OPTIONS (ADD column_name 'k');"
    for old, new in permutations((parent, parent + child, parent + child + named), 2):
        converge(old, new)


def test_a_foreign_partition_is_planned_with_the_rows_looked_at(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "schema.sql"
    file.write_text(
        SERVER
        + "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE FOREIGN TABLE p1 PARTITION OF p DEFAULT SERVER s;"
    )
    assert plan(new_database(), file).blocked == ()
