"""A database with a project of its own, whose files a test declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.planning.plan import Plan
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
MADE_BY_SQL = Options(ignore_file=None, undeclared="drop")
"""Of a project whose database a test fills in place of an earlier apply: no journal knows what is in it."""


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("project")


@pytest.fixture
def live(url: str) -> Iterator[Connection]:
    """What others do to the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def declare(url: str, tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """`declare(sql)` is a project of the database, or of the one `at` a URL, with a file of that text."""
    opened: list[Project] = []

    def project(text: str, at: str = url, **changed: Any) -> Project:
        file = tmp_path / f"schema_{len(opened)}.sql"
        file.write_text(text)
        opened.append(Project(at, file, replace(MADE_BY_SQL, **changed)))
        return opened[-1]

    yield project
    for each in opened:
        each.close()


@pytest.fixture
def role(live: Connection) -> Iterator[Callable[[str], str]]:
    """`role(name)` makes a role of the server; it is gone after the test."""
    names: list[str] = []

    def create(name: str) -> str:
        name = f"{name}_{live.info.dbname.rpartition('_')[2]}"
        live.execute(f"CREATE ROLE {name}")
        names.append(name)
        return name

    yield create
    for name in names:
        live.execute(f"DROP OWNED BY {name}")
        live.execute(f"DROP ROLE {name}")


def consents(made: Plan) -> list[str]:
    return [hazard.consent for hazard in made.blocked]


def exists(live: Connection, relation: str) -> bool:
    row = live.execute("SELECT to_regclass(%s) IS NOT NULL", [relation]).fetchone()
    return row is not None and bool(row[0])


def column_type(live: Connection, relation: str, column: str) -> str:
    row = live.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s",
        [relation, column],
    ).fetchone()
    assert row is not None
    return str(row[0])
