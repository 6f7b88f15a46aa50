from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Connection
from tests.integration.kinds.converge import converge

OTHER = "CREATE TABLE o (i int PRIMARY KEY);"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a int CONSTRAINT k CHECK (a > 0)", "a int CONSTRAINT k CHECK (a > 1) NO INHERIT"),
        ("a int UNIQUE", "a int UNIQUE DEFERRABLE INITIALLY DEFERRED"),
        ("a int PRIMARY KEY", "a int UNIQUE NOT NULL"),
        ("a int UNIQUE", "a int, UNIQUE (a) WITH (fillfactor = 50)"),
        ("a int UNIQUE WITH (fillfactor = 50)", "a int UNIQUE WITH (deduplicate_items = off)"),
        ("a int REFERENCES o", "a int REFERENCES o DEFERRABLE INITIALLY DEFERRED"),
        ("a int REFERENCES o DEFERRABLE", "a int REFERENCES o ON DELETE CASCADE"),
        (
            "a int, b box, EXCLUDE USING gist (b WITH &&)",
            "a int, b box, EXCLUDE USING gist (b WITH &&) WITH (fillfactor = 80) WHERE (a > 1) DEFERRABLE",
        ),
        ("a int CONSTRAINT one NOT NULL PRIMARY KEY", "a int CONSTRAINT two NOT NULL PRIMARY KEY"),
        ("a int NOT NULL", "a int"),
    ],
)
def test_change(database: Connection, old: str, new: str) -> None:
    before, after = (f"{OTHER} CREATE TABLE t ({column})" for column in (old, new))
    converge(database, before, after, before, "", after)


def test_not_valid_is_validated(database: Connection) -> None:
    old = (
        f"{OTHER} CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o NOT VALID,"
        " ADD CONSTRAINT k CHECK (a > 0) NOT VALID"
    )
    new = f"{OTHER} CREATE TABLE t (a int CONSTRAINT f REFERENCES o CONSTRAINT k CHECK (a > 0))"
    assert converge(database, old, new) == [
        "ALTER TABLE public.t VALIDATE CONSTRAINT f",
        "ALTER TABLE public.t VALIDATE CONSTRAINT k",
    ]


def test_not_valid_stays_so_when_created(database: Connection) -> None:
    converge(database, "", "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID")


def test_the_index_of_a_key(database: Connection) -> None:
    table = "CREATE TABLE t (a int NOT NULL UNIQUE, b int NOT NULL UNIQUE);"
    first = "ALTER TABLE t REPLICA IDENTITY USING INDEX t_a_key; ALTER TABLE t CLUSTER ON t_a_key"
    second = (
        "ALTER TABLE t REPLICA IDENTITY USING INDEX t_b_key; ALTER TABLE t CLUSTER ON t_b_key;"
        "COMMENT ON INDEX t_a_key IS 'a'"
    )
    full = "ALTER TABLE t REPLICA IDENTITY FULL"
    converge(database, "", table, table + first, table + second, table + full)


def test_a_foreign_key_makes_way_for_types_on_both_sides(database: Connection) -> None:
    text = "CREATE TABLE o (i {0} PRIMARY KEY); CREATE TABLE t (a {0} REFERENCES o)"
    converge(database, text.format("int"), text.format("uuid"))


def test_columns_come_and_go_with_their_constraints(database: Connection) -> None:
    full = (
        f"{OTHER} CREATE TABLE t (a int, b int DEFAULT 4 NOT NULL, c text CHECK (c <> ''), d int REFERENCES o,"
        " e int GENERATED ALWAYS AS IDENTITY, f serial, g int UNIQUE)"
    )
    bare = f"{OTHER} CREATE TABLE t (a int)"
    converge(database, bare, full, bare, rows="INSERT INTO t VALUES (1)")
