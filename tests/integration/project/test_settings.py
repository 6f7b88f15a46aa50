"""Settings that a database has by ALTER DATABASE: what is declared, planned and applied means the same under all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql

from novaops.output.json import plan_from_json, plan_to_json
from novaops.output.sql import plan_to_sql
from novaops.project import Project
from tests.integration.project.conftest import exists

Connection = psycopg.Connection[Any]
SURPRISING = {
    "DateStyle": "German",
    "default_transaction_read_only": "on",
    "default_table_access_method": "heap2",
    "standard_conforming_strings": "off",
}


def set_on(live: Connection, name: str, value: str) -> None:
    """ALTER DATABASE … SET, as somebody did it long ago."""
    statement = "SET default_transaction_read_only = off; ALTER DATABASE {} SET {} = {}"
    live.execute(
        sql.SQL(statement).format(sql.Identifier(live.info.dbname), sql.SQL(name), sql.Literal(value))
    )


@pytest.mark.parametrize("name", SURPRISING)
def test_a_database_with_surprising_settings_is_planned_and_applied(
    live: Connection, declare: Callable[..., Project], name: str
) -> None:
    method = "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;"
    live.execute(method)
    set_on(live, name, SURPRISING[name])
    project = declare(
        method + r"CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 'back\slash', c date, d interval);"
        "CREATE INDEX ON t (b); CREATE MATERIALIZED VIEW m AS SELECT a FROM t;"
    )
    assert project.apply().left == ()
    assert not project.plan().todo


def test_what_names_no_tablespace_goes_to_that_of_the_database(
    live: Connection, declare: Callable[..., Project], request: pytest.FixtureRequest
) -> None:
    live.execute("SET allow_in_place_tablespaces = on")
    space = f"space_{live.info.dbname}"
    live.execute(f"CREATE TABLESPACE {space} LOCATION ''")
    request.addfinalizer(lambda: _drop_tablespace(live, space))
    set_on(live, "default_tablespace", space)
    project = declare("CREATE TABLE t (a int PRIMARY KEY); CREATE INDEX ON t (a);")
    assert project.apply().left == ()
    assert live.execute(
        "SELECT count(*) FROM pg_class WHERE reltablespace <> 0 AND relname ~ '^t'"
    ).fetchone() == (0,)
    named = declare(
        f"SET default_tablespace = {space}; CREATE TABLE t (a int);"
        " RESET default_tablespace; CREATE TABLE u (a int);"
    )
    assert named.apply(allow=["all"]).left == ()
    found = live.execute(
        "SELECT relname FROM pg_class WHERE reltablespace <> 0 AND relkind = 'r' AND oid > 16383"
    )
    assert found.fetchall() == [("t",)]


def _drop_tablespace(live: Connection, space: str) -> None:
    live.execute(f"ALTER DATABASE {live.info.dbname} RESET default_tablespace")
    live.execute("DROP SCHEMA public CASCADE")
    live.execute("DROP SCHEMA IF EXISTS novaops CASCADE")
    live.execute(f"DROP TABLESPACE {space}")


def test_constants_of_the_files_are_read_as_in_the_database(
    live: Connection, declare: Callable[..., Project]
) -> None:
    set_on(live, "TimeZone", "Asia/Tokyo")
    set_on(live, "DateStyle", "SQL, DMY")
    text = "CREATE TABLE t (a timestamptz DEFAULT '2024-01-01 00:00'::timestamptz, b date DEFAULT '01/02/2024'::date)"
    with psycopg.connect(live.info.dsn, autocommit=True) as like_psql:
        like_psql.execute(text)
    assert not declare(text).plan().todo
    live.execute("INSERT INTO t DEFAULT VALUES")
    live.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'")
    assert live.execute("SELECT a::text, b::text FROM t").fetchone() == (
        "2023-12-31 15:00:00+00",
        "2024-02-01",
    )
    assert exists(live, "t")


NOON = "SELECT a AT TIME ZONE 'UTC' = '2024-07-01 03:00' FROM t"


@pytest.mark.parametrize("shadow", ["server", "borrowed"])
def test_a_plan_is_applied_in_the_time_zone_that_its_hazard_names(
    live: Connection,
    declare: Callable[..., Project],
    new_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    shadow: str,
) -> None:
    """12:00 is 03:00 in UTC for who plans in Tokyo, wherever the plan file is applied."""
    live.execute("CREATE TABLE t (a timestamp); INSERT INTO t VALUES ('2024-07-01 12:00')")
    place = new_database("shadow") if shadow == "borrowed" else shadow
    with monkeypatch.context() as in_tokyo:
        in_tokyo.setenv("PGTZ", "Asia/Tokyo")
        made = declare("CREATE TABLE t (a timestamptz);").plan()
    (told,) = [h for h in made.blocked if h.hazard == "behaviour"]
    assert (told.object, told.affected) == ("public.t.a", 1)
    assert told.message == "1 value would be read in the time zone Asia/Tokyo"
    assert "\nSET TimeZone = 'Asia/Tokyo';\n" in plan_to_sql(made)
    elsewhere = declare("CREATE TABLE t (a timestamptz);", shadow=place)
    elsewhere.apply(plan_from_json(plan_to_json(made)), allow=["behaviour:public.t.a"])
    assert live.execute(NOON).fetchone() == (True,)


@pytest.mark.parametrize(
    ("old", "new", "value", "hazards"),
    [
        ("timestamptz", "timestamp", "'2024-07-01 12:00Z'", {"behaviour"}),
        ("timestamp[]", "timestamptz[]", "'{2024-07-01 12:00}'", {"behaviour"}),
        ("timestamptz", "text", "'2024-07-01 12:00Z'", {"behaviour"}),
        ("date", "timestamptz", "'2024-07-01'", {"behaviour"}),
        ("timestamp", "text", "'2024-07-01'", set()),
        ("timestamp", "timestamptz", "NULL", set()),
        ("timestamptz", "timestamptz(6)", "'2024-07-01'", set()),
    ],
)
def test_what_depends_on_the_time_zone_is_told(
    live: Connection, declare: Callable[..., Project], old: str, new: str, value: str, hazards: set[str]
) -> None:
    live.execute(f"CREATE TABLE t (a {old}); INSERT INTO t VALUES ({value})")
    made = declare(f"CREATE TABLE t (a {new});").plan()
    assert {h.hazard for h in made.blocked} == hazards
    assert made.statements


def test_a_borrowed_shadow_reads_constants_as_the_database_does(
    live: Connection, declare: Callable[..., Project], new_database: Callable[..., str]
) -> None:
    set_on(live, "TimeZone", "Asia/Tokyo")
    text = "CREATE TABLE t (a timestamptz DEFAULT '2024-01-01 00:00'::timestamptz)"
    with psycopg.connect(live.info.dsn, autocommit=True) as like_psql:
        like_psql.execute(text)
    assert not declare(text, shadow=new_database("shadow")).plan().todo
