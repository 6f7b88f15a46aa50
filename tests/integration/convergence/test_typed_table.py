"""Tables OF a composite type: PostgreSQL refuses to change the type while they are."""

from __future__ import annotations

from tests.integration.convergence.conftest import Converge

TABLE = "; CREATE TABLE person OF human (PRIMARY KEY (id)); CREATE VIEW people AS SELECT id FROM person"
ROWS = "INSERT INTO person VALUES (1, 'Ada')"


def typed(attributes: str) -> str:
    return f"CREATE TYPE human AS ({attributes})" + TABLE


def test_new_attribute(converge: Converge) -> None:
    new = typed("id int, name text, born date")
    converge(typed("id int, name text"), new, rows=ROWS, check="SELECT id = 1, born IS NULL FROM person")


def test_attribute_goes(converge: Converge) -> None:
    converge(typed("id int, name text"), typed("id int"), rows=ROWS, check="SELECT id = 1 FROM person")


def test_attribute_changes_type(converge: Converge) -> None:
    new = typed("id bigint, name varchar(20), born date")
    converge(typed("id int, name text"), new, rows=ROWS, check="SELECT id = 1, name = 'Ada' FROM person")


def test_type_is_made_anew(converge: Converge) -> None:
    """A type that is stored elsewhere cannot change the type of an attribute."""
    stored = "; CREATE TABLE log (who human)"
    old, new = typed("id int, name text") + stored, typed("id bigint, name text") + stored
    rows = ROWS + "; INSERT INTO log VALUES (ROW(2, 'Eve'))"
    converge(old, new, rows=rows, check="SELECT id = 1, (who).id = 2 FROM person, log")


def test_table_becomes_typed_and_no_longer(converge: Converge) -> None:
    human = "CREATE TYPE human AS (id int, name text)"
    plain = human + "; CREATE TABLE person (id int, name text)"
    of = human + "; CREATE TABLE person OF human"
    shorter = "CREATE TYPE human AS (id int); CREATE TABLE person OF human"
    for old, new in ((plain, of), (of, plain), (plain, shorter)):
        converge(old, new, rows=ROWS, check="SELECT id = 1 FROM person")


def test_type_goes_and_table_stays(converge: Converge) -> None:
    plain = "CREATE TABLE person (id int, name text)"
    converge("CREATE TYPE human AS (id int, name text); CREATE TABLE person OF human", plain, rows=ROWS)


def test_columns_have_settings_of_their_own(converge: Converge) -> None:
    table = (
        "CREATE TYPE human AS (id int, name text); CREATE TABLE person OF human (name NOT NULL DEFAULT '')"
    )
    settings = "; ALTER TABLE person ALTER name SET COMPRESSION pglz, ALTER name SET STORAGE external"
    converge("", table + settings)
