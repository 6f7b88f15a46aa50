"""Whatever reaches subscribers no more is told where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

TABLES = "CREATE TABLE t (a int PRIMARY KEY, b int, c int); CREATE TABLE u (a int PRIMARY KEY);"
PARTITIONED = (
    "CREATE TABLE r (a int PRIMARY KEY) PARTITION BY RANGE (a); CREATE TABLE r1 PARTITION OF r DEFAULT;"
)
P = "CREATE PUBLICATION p {};"


def both(before: str, after: str, tables: str = TABLES) -> tuple[str, str]:
    return tables + P.format(before), tables + P.format(after)


TOLD = {
    "table": (*both("FOR TABLE t, u", "FOR TABLE t"), ["behaviour:public.u in publication p"]),
    "schema": (
        *both("FOR TABLES IN SCHEMA public", "FOR TABLE t"), ["behaviour:public in publication p"]
    ),
    "operation": (
        *both("FOR TABLE t", "FOR TABLE t WITH (publish = 'insert')"), ["behaviour:p"]
    ),
    "row filter": (*both("FOR TABLE t", "FOR TABLE t WHERE (a > 0)"), ["behaviour:public.t in publication p"]),
    "other row filter": (
        *both("FOR TABLE t WHERE (a > 0)", "FOR TABLE t WHERE (a > 1)"), ["behaviour:public.t in publication p"]
    ),
    "columns": (*both("FOR TABLE t", "FOR TABLE t (a, b)"), ["behaviour:public.t in publication p"]),
    "fewer columns": (
        *both("FOR TABLE t (a, b, c)", "FOR TABLE t (a, b)"), ["behaviour:public.t in publication p"]
    ),
    "root": (
        *both("FOR TABLE r", "FOR TABLE r WITH (publish_via_partition_root)", PARTITIONED), ["behaviour:p"]
    ),
    "made anew": (*both("FOR ALL TABLES", "FOR TABLE t, u"), ["behaviour:p"]),
}  # fmt: skip

HARMLESS = {
    "table more": both("FOR TABLE t", "FOR TABLE t, u"),
    "by schema now": both("FOR TABLE t, u", "FOR TABLES IN SCHEMA public"),
    "each by name now": both("FOR TABLES IN SCHEMA public", "FOR TABLE t, u"),
    "by what it is a partition of now": both("FOR TABLE r1", "FOR TABLE r", PARTITIONED),
    "row filter that goes": both("FOR TABLE t WHERE (a > 0)", "FOR TABLE t"),
    "all columns by name": both("FOR TABLE t", "FOR TABLE t (a, b, c)"),
    "more columns": both("FOR TABLE t (a)", "FOR TABLE t (a, b)"),
    "all operations": both("FOR TABLE t WITH (publish = 'insert')", "FOR TABLE t"),
    "column that goes": (
        TABLES + P.format("FOR TABLE t (a, b)"), TABLES.replace(", b int", "") + P.format("FOR TABLE t (a)")
    ),
    "table that goes": (
        TABLES + P.format("FOR TABLE t, u"), TABLES.partition(" CREATE TABLE u")[0] + P.format("FOR TABLE t")
    ),
}  # fmt: skip


@contextmanager
def subscribed(connection: psycopg.Connection) -> Iterator[None]:
    """A slot of the database, as each subscriber has one."""
    name = f"{connection.info.dbname}_slot"
    connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
    try:
        yield
    finally:
        connection.execute("SELECT pg_drop_replication_slot(%s)", [name])


@pytest.mark.parametrize("name", TOLD)
def test_what_is_published_no_more(new_database: Callable[..., str], name: str) -> None:
    old, new, hazards = TOLD[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert told(connection, desired) == []
        with subscribed(connection):
            assert [h.consent for h in told(connection, desired, carry_out=True)] == hazards


@pytest.mark.parametrize("name", HARMLESS)
def test_as_much_as_before(new_database: Callable[..., str], name: str) -> None:
    old, new = HARMLESS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        with subscribed(connection):
            assert told(connection, desired, carry_out=True) == []


PUBLISHED = "CREATE TABLE t (a int{}, b int NOT NULL{}); CREATE PUBLICATION p FOR TABLE t{};"


@pytest.mark.parametrize(
    ("old", "new", "hazards"),
    [
        (PUBLISHED.format(" PRIMARY KEY", "", ""), PUBLISHED.format(" NOT NULL", "", ""), ["behaviour:t_pkey on public.t"]),
        (PARTITIONED + P.format("FOR TABLE r"), PARTITIONED.replace("PRIMARY KEY", "NOT NULL") + P.format("FOR TABLE r"),
         ["behaviour:r1_pkey on public.r1"]),
        (PUBLISHED.format(" PRIMARY KEY", "", ""), PUBLISHED.format(" NOT NULL", " PRIMARY KEY", ""), []),
        (PUBLISHED.format(" PRIMARY KEY", "", " WITH (publish = 'insert')"),
         PUBLISHED.format(" NOT NULL", "", " WITH (publish = 'insert')"), []),
        (PUBLISHED.format(" PRIMARY KEY", "", "").partition("CREATE PUB")[0],
         PUBLISHED.format(" NOT NULL", "", "").partition("CREATE PUB")[0], []),
    ],
)  # fmt: skip
def test_a_published_table_without_its_replica_identity(
    new_database: Callable[..., str], old: str, new: str, hazards: list[str]
) -> None:
    """Its updates and deletes are refused, whether anybody subscribes or not."""
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert [h.consent for h in told(connection, desired, carry_out=True)] == hazards
