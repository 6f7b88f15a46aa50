"""Who loses or gains access is told however the object gets there: altered, made anew, or in another one's place."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

MONITOR, STATS = "pg_monitor", "pg_read_all_stats"
ROWS = "CREATE TABLE t (a int, b int);"
VIEW = ROWS + "CREATE VIEW v AS SELECT {} FROM t;"
SHOWN = VIEW + "GRANT SELECT ON v TO {};"
PARTITIONED = "CREATE TABLE t (a int, b int) PARTITION BY RANGE (a); CREATE TABLE t1 PARTITION OF t DEFAULT;"
PLAIN = ROWS + "CREATE TABLE t1 (a int, b int);"
FUNCTION = (
    ROWS + "CREATE FUNCTION f() RETURNS {} LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
    "REVOKE ALL ON FUNCTION f() FROM PUBLIC;"
)
DOMAIN = "CREATE DOMAIN d AS {}; CREATE TABLE t (a d);"

# From a schema to another, and what is told where table t has a row.
TOLD = {
    "view made anew": (
        SHOWN.format("a, b", MONITOR), SHOWN.format("b", STATS), ["access-loss:public.v"]
    ),
    "view made anew for everybody": (
        SHOWN.format("a, b", MONITOR), SHOWN.format("b", f"{MONITOR}, PUBLIC"), ["access-grant:public.v"]
    ),
    "view made anew, to be passed on": (
        SHOWN.format("a, b", MONITOR), SHOWN.format("b", f"{MONITOR} WITH GRANT OPTION"), ["access-grant:public.v"]
    ),
    "table made anew": (
        PLAIN + f"GRANT SELECT ON t TO {MONITOR}", PARTITIONED + "GRANT SELECT ON t TO PUBLIC",
        ["access-grant:public.t", "access-loss:public.t", "offline:public.t"],
    ),
    "column made anew with its table": (
        PLAIN + f"GRANT SELECT (b) ON t TO {MONITOR}", PARTITIONED + f"GRANT SELECT (a) ON t TO {MONITOR}",
        ["access-loss:public.t.b", "offline:public.t"],
    ),
    "function made anew": (
        FUNCTION.format("int") + f"GRANT EXECUTE ON FUNCTION f() TO {MONITOR}",
        FUNCTION.format("bigint") + f"GRANT EXECUTE ON FUNCTION f() TO {STATS}, PUBLIC",
        ["access-grant:public.f()", "access-loss:public.f()"],
    ),
    "type made anew": (
        DOMAIN.format("int") + f"GRANT USAGE ON DOMAIN d TO {MONITOR}",
        DOMAIN.format("bigint") + f"REVOKE USAGE ON DOMAIN d FROM PUBLIC; GRANT USAGE ON DOMAIN d TO {MONITOR}",
        ["access-loss:public.d"],
    ),
    "materialized view in the place of a view": (
        SHOWN.format("a", MONITOR), ROWS + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t; GRANT SELECT ON v TO PUBLIC",
        ["access-grant:public.v", "access-loss:public.v"],
    ),
}  # fmt: skip

# The same, where nobody loses or gains any.
HARMLESS = {
    "view made anew": (SHOWN.format("a, b", MONITOR), SHOWN.format("b", MONITOR)),
    "view for one more role": (SHOWN.format("a, b", MONITOR), SHOWN.format("b", f"{MONITOR}, {STATS}")),
    "function made anew": (
        FUNCTION.format("int") + f"GRANT EXECUTE ON FUNCTION f() TO {MONITOR}",
        FUNCTION.format("bigint") + f"GRANT EXECUTE ON FUNCTION f() TO {MONITOR}",
    ),
    "view that goes": (SHOWN.format("a", MONITOR), ROWS),
    "table in the place of a function": (FUNCTION.format("int"), ROWS + "CREATE TABLE f ()"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_access_that_a_change_brings_or_takes(new_database: Callable[..., str], name: str) -> None:
    old, new, hazards = TOLD[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{old}; INSERT INTO t VALUES (1)")
        assert sorted(h.consent for h in told(connection, desired, busy="t", carry_out=True)) == hazards


@pytest.mark.parametrize("name", HARMLESS)
def test_the_same_access_as_before(new_database: Callable[..., str], name: str) -> None:
    old, new = HARMLESS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{old}; INSERT INTO t VALUES (1)")
        assert told(connection, desired, busy="t", carry_out=True) == []


def test_nothing_is_reached_where_a_view_made_anew_shows_no_row(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), SHOWN.format("b", "PUBLIC"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(VIEW.format("a, b"))
        assert told(connection, desired, carry_out=True) == []


def test_what_a_view_will_show_counts_not_what_it_shows(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), SHOWN.format("b", "PUBLIC"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(VIEW.format("a, b").replace("FROM t;", "FROM t WHERE false;"))
        connection.execute("INSERT INTO t VALUES (1)")
        assert [h.consent for h in told(connection, desired, carry_out=True)] == ["access-grant:public.v"]
