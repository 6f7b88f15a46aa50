"""The throwaway database: made like the target, and always gone afterwards."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql

from novaops.desired.shadow import PREFIX, created, external, locale_of, shadow
from novaops.errors import NovaopsError, RefusedError, UsageError


def shadows(connection: psycopg.Connection[Any]) -> set[str]:
    rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
    return {row[0] for row in rows}


def test_it_is_like_the_target_and_dropped(database: psycopg.Connection[Any]) -> None:
    with shadow(database) as connection:
        name = connection.info.dbname
        assert locale_of(connection) == locale_of(database)
    assert name.startswith(PREFIX)
    assert name not in shadows(database)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_it_is_dropped_whatever_happens(
    database: psycopg.Connection[Any], error: type[BaseException]
) -> None:
    with pytest.raises(error), shadow(database) as connection:  # noqa: PT012
        name = connection.info.dbname
        connection.execute("CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p WITH (connect = false)")
        raise error
    assert name not in shadows(database)


def test_leftovers_go_and_shadows_in_use_stay(database: psycopg.Connection[Any]) -> None:
    left = f"{PREFIX}1_00000001"
    database.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(left)))
    with shadow(database) as first:
        assert left not in shadows(database)
        with shadow(database):
            assert first.info.dbname in shadows(database)


def test_without_createdb_the_ways_out_are_told(database: psycopg.Connection[Any], server_url: str) -> None:
    role = f"nocreatedb_{database.info.dbname}"
    database.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(role)))
    try:
        with (
            psycopg.connect(
                server_url, user=role, password="x", dbname=database.info.dbname, autocommit=True
            ) as poor,
            pytest.raises(NovaopsError, match="CREATEDB") as error,
            shadow(poor),
        ):
            pass
    finally:
        database.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert error.value.hint is not None
    assert "--shadow embedded" in error.value.hint


def test_an_external_database_is_left_as_it_was(
    database: psycopg.Connection[Any], new_database: Callable[..., str]
) -> None:
    url = new_database()
    with external(url, database) as connection:
        connection.execute("CREATE TABLE t ()")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_an_external_database_must_be_empty_and_another(
    database: psycopg.Connection[Any], new_database: Callable[..., str]
) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as target:
        with pytest.raises(RefusedError, match="target itself"), external(url, target):
            pass
        target.execute("CREATE TABLE t ()")
    with pytest.raises(UsageError, match=r"not empty: it holds table public\.t"), external(url, database):
        pass


def test_an_error_is_told_although_the_database_cannot_be_dropped(server_url: str) -> None:
    name = ""
    with (  # noqa: PT012
        pytest.raises(ValueError, match="the first thing that went wrong"),
        created(server_url) as connection,
    ):
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} IS_TEMPLATE true")
        raise ValueError("the first thing that went wrong")
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} IS_TEMPLATE false")
        server.execute(f"DROP DATABASE {name}")


@pytest.mark.extension("vector")
def test_an_external_database_may_hold_extensions(
    database: psycopg.Connection[Any], new_database: Callable[..., str]
) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE SCHEMA ext; CREATE EXTENSION vector SCHEMA ext")
        with external(url, database):
            pass
        for made, gone in (
            ("CREATE TABLE ext.t (v ext.vector(3))", "DROP TABLE ext.t"),
            ("CREATE SCHEMA mine", "DROP SCHEMA mine"),
            ("CREATE FUNCTION f(ext.vector) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION f"),
            ("CREATE PUBLICATION p", "DROP PUBLICATION p"),
        ):
            other.execute(made)
            with pytest.raises(UsageError, match="is not empty"), external(url, database):
                pass
            other.execute(gone)
        with external(url, database):
            pass
