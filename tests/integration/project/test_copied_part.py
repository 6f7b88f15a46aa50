"""Files that refer to what they do not declare: it is copied into the shadow, and what they declare is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.project import Project

Connection = psycopg.Connection[Any]
OTHERS = """
CREATE SCHEMA other;
CREATE TYPE other.state AS ENUM ('on', 'off');
CREATE TABLE other.t (id int PRIMARY KEY, s other.state DEFAULT 'on');
INSERT INTO other.t VALUES (1);
"""


def sql(project: Project) -> list[str]:
    return [statement.sql for statement in project.plan().statements]


def test_a_dump_of_some_schemas_matches_where_a_view_uses_another(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(OTHERS)
    live.execute(
        "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int REFERENCES other.t, s other.state);"
        "INSERT INTO sales.orders VALUES (1, 'on');"
        "CREATE VIEW sales.states AS SELECT o.id, t.s FROM sales.orders o JOIN other.t USING (id);"
        "CREATE TABLE customers (id int PRIMARY KEY)"
    )
    schemas = ("sales", "public")
    text = declare("", schemas=schemas).dump()
    assert "CREATE SCHEMA sales" in text
    assert "other.t (" not in text
    assert sql(declare(text, schemas=schemas)) == []
    without = text.replace("CREATE SCHEMA sales;\n", "")
    assert without != text
    assert sql(declare(without, schemas=schemas)) == []


def test_a_declared_object_of_a_schema_that_is_not_managed_is_not_copied(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(OTHERS)
    live.execute(
        "CREATE TABLE other.more (id int PRIMARY KEY, n int, gone int); INSERT INTO other.more VALUES (1, 1, 1);"
        "CREATE VIEW other.of_more AS SELECT gone FROM other.more"
    )
    project = declare(
        "CREATE SCHEMA other; CREATE TABLE other.more (id int PRIMARY KEY, n bigint, gone int);"
        "CREATE VIEW mine AS SELECT id FROM other.t;",
        schemas=("public",),
    )
    made = project.plan()
    assert {(c.operation, c.object) for c in made.changes} >= {
        ("alter", "other.more.n"),
        ("create", "public.mine"),
    }
    assert {c.operation for c in made.changes} == {"alter", "create"}
    assert project.apply(made, allow=["all"]).left == ()
    assert live.execute("SELECT * FROM other.more").fetchall() == [(1, 1, 1)]
    assert project.plan().changes == ()


@pytest.mark.extension("vector")
@pytest.mark.parametrize("create", ["", "CREATE EXTENSION vector;", "CREATE EXTENSION IF NOT EXISTS vector;"])
def test_an_extension_of_the_target_is_copied_and_may_be_declared(
    live: Connection, declare: Callable[..., Project], create: str
) -> None:
    live.execute(OTHERS)
    live.execute(
        "CREATE EXTENSION vector; CREATE TABLE other.v (e vector(3));"
        "CREATE TABLE t (id int PRIMARY KEY, e vector(3)); INSERT INTO t VALUES (1, '[1,2,3]')"
    )
    project = declare(
        f"{create} CREATE TABLE t (id int PRIMARY KEY, e vector(3));"
        "CREATE INDEX ON t USING hnsw (e vector_cosine_ops); CREATE VIEW mine AS SELECT id FROM other.t;"
    )
    made = project.plan()
    assert {(c.operation, c.object) for c in made.changes} == {
        ("create", "public.mine"),
        ("create", "public.t_e_idx"),
    }
    assert project.apply(made, allow=["all"]).left == ()
    assert sql(project) == []


@pytest.mark.extension("vector")
def test_a_schema_or_an_extension_declared_twice_is_an_error_all_the_same(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(OTHERS)
    live.execute("CREATE EXTENSION vector")
    for text in ("CREATE SCHEMA other;", "CREATE EXTENSION vector;"):
        project = declare(f"{text}\n{text}\nCREATE VIEW mine AS SELECT id FROM other.t;", schemas=("public",))
        with pytest.raises(DiagnosticsError, match="already exists") as refused:
            project.plan()
        assert refused.value.diagnostics[0].source.line == 2


@pytest.mark.extension("citext")
def test_what_cannot_be_copied_is_named_only_where_it_is_missed(
    live: Connection, declare: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, server_folder: Any
) -> None:
    """The embedded server has no contrib modules."""
    monkeypatch.setenv("XDG_DATA_HOME", str(server_folder))
    live.execute(OTHERS)
    live.execute("CREATE EXTENSION citext; CREATE TABLE other.c (c citext)")
    good = declare("CREATE VIEW mine AS SELECT id FROM other.t;", shadow="embedded")
    assert sql(good) == ["CREATE VIEW public.mine AS\n SELECT id\n   FROM other.t"]
    bad = declare("CREATE TABLE t (c citext);", shadow="embedded")
    with pytest.raises(DiagnosticsError) as refused:
        bad.plan()
    (error,) = refused.value.diagnostics
    assert error.message == 'type "citext" does not exist'
    assert any('extension "citext" is not available' in note for note in error.notes), error
    assert error.hint is not None
    assert "citext is installed in the target" in error.hint
    assert "--shadow server" in error.hint


@pytest.mark.extension("citext")
@pytest.mark.parametrize("extension", ["citext", "pg_trgm", "vector"])
def test_extensions_of_the_target_need_not_be_declared(
    live: Connection, declare: Callable[..., Project], extension: str
) -> None:
    live.execute(f"CREATE SCHEMA ext; CREATE EXTENSION {extension} SCHEMA ext")
    live.execute("SET search_path = public, ext")
    texts = {
        "citext": "CREATE TABLE t (c ext.citext PRIMARY KEY);",
        "pg_trgm": "CREATE TABLE t (c text); CREATE INDEX ON t USING gin (c ext.gin_trgm_ops);",
        "vector": "CREATE TABLE t (c ext.vector(3)); CREATE INDEX ON t USING hnsw (c ext.vector_l2_ops);",
    }
    project = declare(texts[extension])
    assert project.apply().left == ()
    assert sql(project) == []


def test_what_stands_on_managed_tables_is_not_copied_and_not_dropped(
    live: Connection, declare: Callable[..., Project]
) -> None:
    """A schema that is copied for the files is not managed by that."""
    live.execute(OTHERS)
    live.execute("CREATE TABLE mine (a int); CREATE VIEW other.of_mine AS SELECT a FROM mine")
    project = declare("CREATE TABLE mine (a int); CREATE VIEW v AS SELECT id FROM other.t;")
    assert sql(project) == ["CREATE VIEW public.v AS\n SELECT id\n   FROM other.t"]


def test_a_schema_that_the_files_create_is_managed_although_another_is_copied(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(OTHERS)
    live.execute("CREATE SCHEMA sales; CREATE TABLE sales.t (a int); CREATE TABLE sales.gone (a int)")
    text = "CREATE SCHEMA sales; CREATE TABLE sales.t (a int); CREATE VIEW sales.v AS SELECT id FROM other.t;"
    made = declare(text).plan()
    assert {(c.operation, c.object) for c in made.changes} == {("drop", "sales.gone"), ("create", "sales.v")}


@pytest.mark.extension("vector")
def test_a_name_of_an_installed_extension_is_found_in_its_schema(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute('CREATE SCHEMA "Ext"; CREATE EXTENSION vector SCHEMA "Ext"')
    for text, name in (
        ("CREATE TABLE t (v vector(3));", "vector"),
        ('CREATE VIEW v AS SELECT l2_norm(NULL::"Ext".halfvec);', "l2_norm"),
        (
            'CREATE TABLE t (v "Ext".vector(3)); CREATE INDEX ON t USING hnsw (v vector_l1_ops);',
            "vector_l1_ops",
        ),
    ):
        with pytest.raises(DiagnosticsError) as refused:
            declare(text).plan()
        (error,) = refused.value.diagnostics
        expected = (
            f'the extension vector is installed in the target, and provides {name} in schema "Ext": write'
            f' "Ext".{name}, or set search_path in the files'
        )
        assert error.hint == expected
        assert declare(text.replace(name, f'"Ext".{name}', 1)).plan().statements


@pytest.mark.extension("seg")
def test_the_server_tells_which_extension_it_could_create(
    live: Connection, declare: Callable[..., Project]
) -> None:
    with pytest.raises(DiagnosticsError) as refused:
        declare("CREATE TABLE t (s seg);").plan()
    (error,) = refused.value.diagnostics
    assert error.hint == (
        "the extension seg provides seg; add to the files: CREATE EXTENSION IF NOT EXISTS seg;"
    )
