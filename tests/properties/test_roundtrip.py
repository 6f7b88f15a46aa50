"""For all schemas: a plan leads where it says, and a dump is what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from novaops.planning.dump import dump
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from tests.integration.convergence.conftest import entries
from tests.properties.schemas import names, schemas

EVERYTHING = Scope(frozenset({"public"}), whole=True)
COMPLETELY = Comparison(PrivilegeMode.MANAGED)

one = names.flatmap(schemas)
two = names.flatmap(lambda given_names: st.tuples(schemas(given_names), schemas(given_names)))


@pytest.fixture(scope="module")
def connection(server_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database that every example leaves as empty as it found it."""
    with psycopg.connect(server_url, autocommit=True) as maintenance:
        name = f"properties_{maintenance.info.backend_pid}"
        maintenance.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            with psycopg.connect(server_url, dbname=name, autocommit=True) as connection:
                connection.execute("SET check_function_bodies = off")
                yield connection
        finally:
            maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(connection: psycopg.Connection[Any], statements: list[str]) -> Snapshot:
    for statement in statements:
        connection.execute(statement)
    return read(connection, list(registry().values()))


def passing(connection: psycopg.Connection[Any], statements: list[str]) -> Snapshot:
    """Snapshot of what the statements make, none of which stays."""
    with connection.transaction(force_rollback=True):
        return run(connection, statements)


@given(statements=one)
def test_equals_itself(connection: psycopg.Connection[Any], statements: list[str]) -> None:
    with connection.transaction(force_rollback=True):
        first = run(connection, statements)
        assert first.unmodelled == ()
        assert diff(first, run(connection, []), EVERYTHING, COMPLETELY) == {}


@given(pair=two)
def test_converges(connection: psycopg.Connection[Any], pair: tuple[list[str], list[str]]) -> None:
    goal = passing(connection, pair[1])
    with connection.transaction(force_rollback=True):
        live = run(connection, pair[0])
        made = draft(live, goal, EVERYTHING, COMPLETELY)
        after = run(connection, [written.step.sql for written in made.written])
        assert diff(after, goal, EVERYTHING, COMPLETELY) == {}
        assert draft(after, goal, EVERYTHING, COMPLETELY).written == ()


@given(statements=one)
def test_dump_is_what_it_was_made_from(connection: psycopg.Connection[Any], statements: list[str]) -> None:
    original = passing(connection, statements)
    script = dump(original, EVERYTHING, COMPLETELY)
    loaded = passing(connection, [script])
    assert diff(loaded, original, EVERYTHING, COMPLETELY) == {}
    assert dump(loaded, EVERYTHING, COMPLETELY) == script


@settings(max_examples=4)
@given(statements=one)
def test_pg_dump_agrees(
    new_database: Callable[..., str],
    psql: Callable[..., str],
    pg_dump: Callable[..., str],
    statements: list[str],
) -> None:
    """psql loads the dump in one transaction; pg_dump finds no difference."""
    original, loaded = new_database("property"), new_database("property")
    with psycopg.connect(original) as connection:
        script = dump(run(connection, statements), EVERYTHING, COMPLETELY)
    psql(loaded, "-1", input=script)
    options = ("--schema-only", "--restrict-key=properties")
    assert pg_dump(loaded, *options) == pg_dump(original, *options)


@settings(max_examples=4)
@given(pair=two)
def test_pg_dump_sees_no_difference_after(
    new_database: Callable[..., str], pg_dump: Callable[..., str], pair: tuple[list[str], list[str]]
) -> None:
    current, goal = new_database("property"), new_database("property")
    with psycopg.connect(goal) as connection:
        desired = run(connection, pair[1])
    with psycopg.connect(current) as connection:
        made = draft(run(connection, pair[0]), desired, EVERYTHING, COMPLETELY)
        run(connection, [written.step.sql for written in made.written])
    assert entries(pg_dump(current, "--schema-only")) == entries(pg_dump(goal, "--schema-only"))
