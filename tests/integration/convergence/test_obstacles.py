"""Rows that PostgreSQL will refuse a plan for are told beforehand, and no others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import psycopg
import pytest

from novaops.planning.draft import Draft, draft
from novaops.planning.hazard_codes import REFUSED_BY_ROWS, with_consent
from novaops.planning.hazards import assess, hazard
from novaops.planning.plan import Hazard, Plan, Target
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot

BOOK = "CREATE TABLE author (id int PRIMARY KEY); CREATE TABLE book (id int, author int, title text"
FIRST = "INSERT INTO author VALUES (1); INSERT INTO book VALUES (1, 1, 'a');"
CASES = {
    "check": (");", ", CHECK (id > 0));", "(-1, 1, 'x')", "(2, NULL, 'x')"),
    "not-null": (");", "); ALTER TABLE book ALTER title SET NOT NULL;", "(2, 1, NULL)", "(2, NULL, 'x')"),
    "unique": (");", ", UNIQUE (author, id));", "(1, 1, 'x')", "(1, NULL, 'x')"),
    "foreign-key": (");", ", FOREIGN KEY (author) REFERENCES author);", "(2, 7, 'x')", "(2, NULL, 'x')"),
}


def hazards(made: Draft, connection: psycopg.Connection[Any]) -> Collection[tuple[Hazard, ...]]:
    return assess(made.changes, made.scene, connection).hazards.values()


@pytest.mark.parametrize("name", CASES)
def test_rows_in_the_way(new_database: Callable[..., str], name: str) -> None:
    old, new, wrong, right = CASES[name]
    with psycopg.connect(new_database(), autocommit=True) as wanted:
        wanted.execute(BOOK + new)
        desired = snapshot(wanted)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{BOOK}{old}{FIRST} INSERT INTO book VALUES {right}")
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        assert assess(made.changes, made.scene, connection).hazards == {}
        connection.execute(f"INSERT INTO book VALUES {wrong}")
        told = assess(made.changes, made.scene, connection).hazards
        assert [h.hazard for hazards in told.values() for h in hazards] == [name]
        with pytest.raises(psycopg.errors.IntegrityError):
            execute(connection, made)


def test_key_to_a_new_table(new_database: Callable[..., str]) -> None:
    with psycopg.connect(new_database(), autocommit=True) as wanted:
        wanted.execute(f"{BOOK}, FOREIGN KEY (author) REFERENCES author);")
        desired = snapshot(wanted)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{BOOK}); DROP TABLE author; INSERT INTO book VALUES (1, NULL, 'a')")
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        assert assess(made.changes, made.scene, connection).hazards == {}
        connection.execute("INSERT INTO book VALUES (2, 1, 'b')")
        (told,) = hazards(made, connection)
        assert [h.hazard for h in told] == ["foreign-key"]


def test_key_to_new_columns(new_database: Callable[..., str]) -> None:
    with psycopg.connect(new_database(), autocommit=True) as wanted:
        wanted.execute(
            "CREATE TABLE author (id int PRIMARY KEY, born int DEFAULT 7 UNIQUE);"
            "CREATE TABLE book (id int, author int REFERENCES author (born))"
        )
        desired = snapshot(wanted)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE author (id int PRIMARY KEY); CREATE TABLE book (id int, author int);"
            "INSERT INTO author VALUES (1); INSERT INTO book VALUES (1, 7), (2, NULL)"
        )
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        assert assess(made.changes, made.scene, connection).hazards == {}
        connection.execute("INSERT INTO book VALUES (3, 1)")
        (told,) = hazards(made, connection)
        assert [h.hazard for h in told] == ["foreign-key"]


def test_rows_of_a_partition_that_others_refer_to(new_database: Callable[..., str]) -> None:
    tables = (
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id);"
        "CREATE TABLE p1 {} CREATE TABLE r (p int REFERENCES p);"
    )
    with psycopg.connect(new_database(), autocommit=True) as wanted:
        wanted.execute(tables.format("(id int PRIMARY KEY);"))
        desired = snapshot(wanted)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(tables.format("PARTITION OF p FOR VALUES IN (1, 2);"))
        connection.execute("INSERT INTO p VALUES (1); INSERT INTO r VALUES (NULL)")
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        assert {h.hazard for told in hazards(made, connection) for h in told} == {"behaviour"}
        connection.execute("INSERT INTO r VALUES (1)")
        (told,) = hazards(made, connection)
        assert [(h.hazard, h.affected) for h in told] == [("behaviour", 1), ("foreign-key", 1)]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            execute(connection, made)


@pytest.mark.parametrize(
    ("column", "refused"),
    [
        ("n int NOT NULL", True),
        ("n int NOT NULL DEFAULT 1", False),
        ("n int NOT NULL GENERATED ALWAYS AS (id + 1) STORED", False),
        ("n int NOT NULL GENERATED ALWAYS AS (nullif(id, 1)) STORED", True),
        ("n int GENERATED ALWAYS AS (nullif(id, 1)) STORED PRIMARY KEY", True),
        ("n int GENERATED ALWAYS AS IDENTITY", False),
        ("n int", False),
    ],
)
def test_new_column(new_database: Callable[..., str], column: str, refused: bool) -> None:
    with psycopg.connect(new_database(), autocommit=True) as wanted:
        wanted.execute(f"{BOOK}, {column});")
        desired = snapshot(wanted)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{BOOK});")
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        assert assess(made.changes, made.scene, connection).hazards == {}
        connection.execute(FIRST)
        told = assess(made.changes, made.scene, connection).hazards
        assert bool(told) == refused
        if not refused:
            execute(connection, made)


@pytest.mark.parametrize("name", sorted(REFUSED_BY_ROWS))
def test_consent_to_everything_is_not_meant(name: str) -> None:
    told = hazard(name, "public.book", "rows violate it")
    plan = Plan(Target("d", "h", 5432, "u", "18", "1"), "a", "b", changes=(), statements=(), blocked=(told,))
    assert with_consent(plan, {"all": ""}).blocked == (told,)
    assert with_consent(plan, {name: ""}).blocked == ()


MOOD = "CREATE TYPE mood AS ENUM ('sad', 'happy');"


@pytest.mark.parametrize(
    ("old", "new", "right", "wrong", "since"),
    [
        ("text", "mood", "sad", "glad", 15),
        ("text", "int", "7", "seven", 16),
        ("varchar(10)", "date", "2024-02-29", "2023-02-29", 16),
        ("json", "int", "7", '"seven"', 16),
    ],
)
def test_text_that_another_type_does_not_read(
    new_database: Callable[..., str], old: str, new: str, right: str, wrong: str, since: int
) -> None:
    with psycopg.connect(new_database(), autocommit=True) as wanted:
        wanted.execute(f"{MOOD} CREATE TABLE t (a {new})")
        desired = snapshot(wanted)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t (a {old}); INSERT INTO t VALUES (NULL), ('{right}')")
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
        assert refused(made, connection) == []
        connection.execute(f"INSERT INTO t VALUES ('{wrong}')")
        able = connection.info.server_version >= since * 10000
        assert refused(made, connection) == ["check"] * able
        with pytest.raises(psycopg.errors.DataError):
            execute(connection, made)


def refused(made: Draft, connection: psycopg.Connection[Any]) -> list[str]:
    """The obstacles alone: the change of a type may be a hazard besides."""
    told = assess(made.changes, made.scene, connection).hazards
    return [h.hazard for hazards in told.values() for h in hazards if h.hazard in REFUSED_BY_ROWS]
