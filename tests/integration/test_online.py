"""Tables with rows are changed without keeping others from them; new and empty ones in the plain way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.project import Project

BEFORE = """
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE items (id int CONSTRAINT items_key PRIMARY KEY, owner int, label text, price numeric);
CREATE INDEX items_label ON items (label);
"""
AFTER = """
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE items (
    id int, owner int NOT NULL REFERENCES owners (id), label text UNIQUE, price numeric CHECK (price > 0),
    CONSTRAINT items_key PRIMARY KEY (id, owner)
);
CREATE INDEX items_label ON items (lower(label));
CREATE INDEX items_price ON items (price);
"""
ROWS = "INSERT INTO owners VALUES (1); INSERT INTO items VALUES (1, 1, 'a', 2);"


@pytest.fixture
def project(new_database: Callable[..., str], tmp_path: Path) -> Project:
    (tmp_path / "schema.sql").write_text(AFTER)
    url = new_database("online")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(BEFORE)
    return Project(url, tmp_path / "schema.sql")


def test_rows_are_left_in_peace(project: Project) -> None:
    with project:
        project.connection.execute(ROWS)
        plan = project.plan()
        made = {s.sql for s in plan.statements}
        alone = [s.sql for s in plan.statements if s.transaction is None]
        assert all("INDEX CONCURRENTLY" in sql for sql in alone)
        assert len(alone) == 4  # two indexes, two keys
        assert any(sql.endswith("USING INDEX items_key__novaops_new") for sql in made)
        # Until PostgreSQL 17 a CHECK helps that is gone at the end.
        modern = project.connection.info.server_version >= 180000
        not_null = "items_owner_not_null" if modern else "owner__novaops_not_null"
        validated = {s.split()[-1] for s in made if "VALIDATE" in s}
        assert validated == {"items_owner_fkey", "items_price_check", not_null}
        validations = [s.transaction for s in plan.statements if "VALIDATE" in s.sql]
        assert len(set(validations)) == len(validations)
        assert project.apply(plan).left == ()
        assert project.connection.execute("SELECT count(*) FROM items").fetchone() == (1,)
        assert not project.plan().statements


def test_the_old_index_goes_when_the_new_one_is_ready(project: Project) -> None:
    with project:
        project.connection.execute(ROWS)
        texts = [s.sql for s in project.plan().statements]
    built = next(i for i, sql in enumerate(texts) if "items_label__novaops_new ON" in sql)
    dropped = texts.index("DROP INDEX public.items_label")
    assert built < dropped
    assert texts[dropped + 1] == "ALTER INDEX public.items_label__novaops_new RENAME TO items_label"


def test_an_empty_table_gets_the_plain_forms(project: Project) -> None:
    with project:
        plan = project.plan()
        assert {s.transaction for s in plan.statements} == {1}
        assert not any("CONCURRENTLY" in s.sql or "NOT VALID" in s.sql for s in plan.statements)
        assert project.apply(plan).left == ()


def test_a_build_that_fails_leaves_no_invalid_index(project: Project) -> None:
    with project:
        project.connection.execute(ROWS)
        plan = project.plan()
        project.connection.execute("INSERT INTO items VALUES (2, 1, 'a', 3)")
        with pytest.raises(NovaopsError, match="could not create unique index"):
            project.apply(plan)
        invalid = project.connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        assert invalid == (0,)
        project.connection.execute("DELETE FROM items WHERE id = 2")
        assert project.apply(project.plan()).left == ()


def test_tables_in_use_are_locked_after_what_is_new_is_made(project: Project) -> None:
    Path(project.file).write_text(f"{BEFORE}CREATE TABLE z_new (a int);\nALTER TABLE items ADD more int;")
    with project:
        texts = [s.sql for s in project.plan().statements]
        assert [sql.split()[0] for sql in texts] == ["ALTER", "CREATE"]  # by name
        project.connection.execute(ROWS)
        texts = [s.sql for s in project.plan().statements]
        assert [sql.split()[0] for sql in texts] == ["CREATE", "ALTER"]


PARTITIONED = """
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE events (id int NOT NULL, at int NOT NULL, owner int, label text) PARTITION BY RANGE (at);
CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE late PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);
CREATE TABLE late_rest PARTITION OF late DEFAULT;
"""
EVENTS = "INSERT INTO owners VALUES (1); INSERT INTO events VALUES (1, 1, 1, 'a'), (2, 11, 1, 'b');"


@pytest.mark.parametrize(
    "added",
    [
        "CREATE INDEX events_label ON events (label);",
        "ALTER TABLE events ADD CONSTRAINT u UNIQUE (id, at);",
        "ALTER TABLE events ADD CONSTRAINT p PRIMARY KEY (id, at);",
        "ALTER TABLE events ADD CONSTRAINT c CHECK (label <> '');",
        "ALTER TABLE events ADD CONSTRAINT f FOREIGN KEY (owner) REFERENCES owners;",
        "ALTER TABLE events ALTER label SET NOT NULL;",
    ],
)
def test_the_partitions_come_first(new_database: Callable[..., str], tmp_path: Path, added: str) -> None:
    (tmp_path / "schema.sql").write_text(PARTITIONED + added)
    with Project(new_database("parts"), tmp_path / "schema.sql") as project:
        project.connection.execute(PARTITIONED + EVENTS)
        made = project.plan()
        # Whatever reads rows is patient; what is not only changes catalogs.
        for statement in made.statements:
            reading = ("CONCURRENTLY", "VALIDATE ")
            assert statement.patient is any(word in statement.sql for word in reading), statement.sql
        assert any(statement.patient for statement in made.statements)
        assert project.apply(made).left == ()
        assert not project.plan().statements
        assert project.connection.execute("SELECT count(*) FROM events").fetchone() == (2,)
        invalid = "SELECT FROM pg_constraint WHERE NOT convalidated UNION ALL SELECT FROM pg_index WHERE NOT indisvalid"
        assert project.connection.execute(invalid).fetchall() == []


def test_a_foreign_key_of_partitions_that_was_stopped_half_way_goes_on(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    foreign_key = "ADD CONSTRAINT f FOREIGN KEY (owner) REFERENCES owners"
    (tmp_path / "schema.sql").write_text(f"{PARTITIONED}ALTER TABLE events {foreign_key};")
    with Project(new_database("parts"), tmp_path / "schema.sql") as project:
        project.connection.execute(PARTITIONED + EVENTS)
        project.connection.execute(f"ALTER TABLE early {foreign_key} NOT VALID")
        assert project.apply().left == ()
        names = project.connection.execute(
            "SELECT DISTINCT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        )
        assert names.fetchall() == [("f",)]


def test_an_inherited_check_is_validated_by_itself(new_database: Callable[..., str], tmp_path: Path) -> None:
    """That of the parent stays NOT VALID; readers and writers of the child go on meanwhile."""
    before = (
        "CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent);"
        "ALTER TABLE parent ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;"
    )
    file = tmp_path / "schema.sql"
    file.write_text(
        before + "ALTER TABLE child VALIDATE CONSTRAINT positive; ALTER TABLE parent ADD COLUMN b int;"
    )
    url = new_database("online")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(before + "INSERT INTO child VALUES (1)")
    with Project(url, file) as project:
        made = project.plan()
        (validate,) = [s for s in made.statements if "VALIDATE" in s.sql]
        assert validate.patient
        assert [s for s in made.statements if s.transaction == validate.transaction] == [validate]
        assert made.statements[-1] == validate
        assert project.apply(made).left == ()
