"""What the files do not manage and is rebuilt by consent comes back after what it depends on has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg

from novaops.project import Options, Project


def test_a_view_of_another_schema_over_a_table_in_use(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    url = new_database("consent")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        connection.execute("CREATE SCHEMA other; CREATE VIEW other.v AS SELECT a FROM t")
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (a bigint);")
    with Project(url, tmp_path / "schema.sql", Options(schemas=("public",), ignore_file=None)) as project:
        made = project.plan(["unmanaged-dependant"])
        assert [s.sql.split()[0] for s in made.statements] == ["DROP", "ALTER", "CREATE"]
        assert project.apply(made).left == ()
        assert project.connection.execute("SELECT a FROM other.v").fetchone() == (1,)
