"""Who loses or gains access is told however the object gets there: altered, made anew, or in another one's place."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.catalog.snapshot import Snapshot
from novaops.planning.diff import Comparison
from novaops.planning.draft import draft
from novaops.planning.hazards import assess
from novaops.planning.privileges import PrivilegeMode
from tests.integration.convergence.conftest import EVERYTHING, snapshot
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
SECURE = ROWS + "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
FORCED = SECURE + "ALTER TABLE t FORCE ROW LEVEL SECURITY;"
OWNED = f"ALTER TABLE t OWNER TO {MONITOR};"
READ = f"GRANT SELECT ON t TO {STATS};"
POLICY = "CREATE POLICY p ON t {};"
OPTION = ROWS + "CREATE VIEW v WITH ({}) AS SELECT a FROM t;"
USED = f"GRANT SELECT ON v TO {STATS};"
CALLED = "CREATE FUNCTION f() RETURNS int {} LANGUAGE sql AS 'SELECT 1';"
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
    "security_invoker view that becomes a materialized view": (
        SECURE + READ + "CREATE VIEW v WITH (security_invoker) AS SELECT a FROM t;" + USED,
        SECURE + READ + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;" + USED, ["access-grant:public.v"],
    ),
    "through a view that reads as the caller": (
        SECURE + READ + "CREATE VIEW w WITH (security_invoker) AS SELECT a FROM t; GRANT SELECT ON w TO pg_read_all_stats;"
        "CREATE VIEW v WITH (security_invoker) AS SELECT a FROM w;" + USED,
        SECURE + READ + "CREATE VIEW w WITH (security_invoker) AS SELECT a FROM t; GRANT SELECT ON w TO pg_read_all_stats;"
        "CREATE MATERIALIZED VIEW v AS SELECT a FROM w;" + USED, ["access-grant:public.v"],
    ),
    "view of an owner whom row security binds": (
        FORCED + "CREATE VIEW v WITH (security_barrier) AS SELECT a FROM t;" + USED
        + f"ALTER VIEW v OWNER TO {MONITOR}; GRANT SELECT ON t TO {MONITOR};",
        FORCED + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;" + USED
        + f"ALTER MATERIALIZED VIEW v OWNER TO {MONITOR}; GRANT SELECT ON t TO {MONITOR};", ["row-security:public.v"],
    ),
    "materialized view that becomes a security_invoker view": (
        SECURE + READ + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;" + USED,
        SECURE + READ + "CREATE VIEW v WITH (security_invoker) AS SELECT a FROM t;" + USED,
        ["access-loss:public.v"],
    ),
    "SECURITY DEFINER function with another argument": (
        FUNCTION.format("int"),
        ROWS + "CREATE FUNCTION f(int DEFAULT 1) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
        ["access-grant:public.f(integer)"],
    ),
    "function that becomes SECURITY DEFINER with another argument": (
        ROWS + CALLED.format(""),
        ROWS + "CREATE FUNCTION f(int DEFAULT 1) RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'",
        ["access-grant:public.f(integer)"],
    ),
    "function that becomes a SECURITY DEFINER procedure": (
        ROWS + CALLED.format(""), ROWS + "CREATE PROCEDURE f() SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'", ["access-grant:public.f()"]
    ),
    "search_path that a SECURITY DEFINER function loses": (
        ROWS + CALLED.format("SECURITY DEFINER SET search_path = pg_catalog"), ROWS + CALLED.format("SECURITY DEFINER"),
        ["access-grant:public.f()"],
    ),
    "row security turned on": (ROWS + READ, SECURE + READ, ["access-loss:public.t"]),
    "for those who may read one column": (
        ROWS + f"GRANT SELECT (a) ON t TO {STATS}", SECURE + f"GRANT SELECT (a) ON t TO {STATS}", ["access-loss:public.t"]
    ),
    "turned on, with a policy": (
        ROWS + READ, SECURE + READ + POLICY.format("USING (a > 0)"), ["access-loss:public.t"]
    ),
    "with a policy for reading only": (
        ROWS + "GRANT ALL ON t TO PUBLIC", SECURE + "GRANT ALL ON t TO PUBLIC;" + POLICY.format("FOR SELECT USING (true)"),
        ["access-loss:public.t"],
    ),
    "with a policy for another role": (
        ROWS + READ, SECURE + READ + POLICY.format(f"TO {MONITOR} USING (true)"), ["access-loss:public.t"]
    ),
    "turned on for the owner too": (ROWS + OWNED, FORCED, ["access-loss:public.t"]),
    "forced": (SECURE + OWNED, FORCED, ["access-loss:public.t"]),
    "restrictive policy": (
        SECURE + READ, SECURE + READ + POLICY.format("AS RESTRICTIVE USING (a > 0)"), ["access-loss:p on public.t"]
    ),
    "restrictive policy for a role": (
        SECURE + READ, SECURE + READ + POLICY.format(f"AS RESTRICTIVE TO {STATS} USING (a > 0)"),
        ["access-loss:p on public.t"],
    ),
    "restrictive policy for a role by way of PUBLIC": (
        SECURE + "GRANT SELECT ON t TO PUBLIC",
        SECURE + "GRANT SELECT ON t TO PUBLIC;" + POLICY.format(f"AS RESTRICTIVE TO {MONITOR} USING (a > 0)"),
        ["access-loss:p on public.t"],
    ),
    "restrictive policy for an owner": (
        FORCED + OWNED, FORCED + POLICY.format("AS RESTRICTIVE USING (a > 0)"), ["access-loss:p on public.t"]
    ),
    "view with the rights of its owner": (
        OPTION.format("security_invoker") + USED, OPTION.format("security_invoker = false") + USED, ["access-grant:public.v"]
    ),
    "view with the rights of its owner, made anew": (
        OPTION.format("security_invoker = on") + USED,
        OPTION.format("security_invoker = off").replace("SELECT a", "SELECT b") + USED, ["access-grant:public.v"],
    ),
    "past row security": (
        OPTION.format("security_invoker") + USED + READ + "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        VIEW.format("a") + USED + READ + "ALTER TABLE t ENABLE ROW LEVEL SECURITY", ["access-grant:public.v"],
    ),
    "view with the rights of the caller": (
        VIEW.format("a") + USED, OPTION.format("security_invoker") + USED, ["access-loss:public.v"]
    ),
    "view without its barrier": (
        OPTION.format("security_barrier") + USED, VIEW.format("a") + USED, ["row-security:public.v"]
    ),
    "function with the rights of its owner": (
        ROWS + CALLED.format(""), ROWS + CALLED.format("SECURITY DEFINER"), ["access-grant:public.f()"]
    ),
    "function with the rights of the caller": (
        ROWS + CALLED.format("SECURITY DEFINER"), ROWS + CALLED.format(""), ["access-loss:public.f()"]
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
    "row security that binds nobody": (ROWS, FORCED + POLICY.format("AS RESTRICTIVE USING (a > 0)")),
    "turned on, with a policy for everybody": (ROWS + READ, SECURE + READ + POLICY.format("USING (true)")),
    "turned on, with a policy for each command": (
        ROWS + READ,
        SECURE + READ + "".join(
            f"CREATE POLICY p{n} ON t FOR {command} (true);"
            for n, command in enumerate(["SELECT USING", "INSERT WITH CHECK", "UPDATE USING", "DELETE USING"])
        ),
    ),
    "with a policy for those who may read": (ROWS + READ, SECURE + READ + POLICY.format(f"TO {STATS} USING (true)")),
    "forced on a superuser": (SECURE + READ, FORCED + READ),
    "restrictive policy for others": (
        SECURE + READ, SECURE + READ + POLICY.format("AS RESTRICTIVE TO pg_signal_backend USING (a > 0)")
    ),
    "restrictive policy that keeps nothing back": (
        SECURE + READ, SECURE + READ + POLICY.format("AS RESTRICTIVE USING (true)")
    ),
    "invoker without anybody to use it": (OPTION.format("security_invoker"), VIEW.format("a")),
    "invoker who may read it all": (OPTION.format("security_invoker") + USED + READ, VIEW.format("a") + USED + READ),
    "caller who may read it all": (VIEW.format("a") + USED + READ, OPTION.format("security_invoker") + USED + READ),
    "barrier without anybody behind it": (OPTION.format("security_barrier"), VIEW.format("a")),
    "definer that nobody may call": (
        ROWS + CALLED.format("") + "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
        ROWS + CALLED.format("SECURITY DEFINER") + "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
    ),
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


def test_nothing_is_hidden_where_there_is_no_row(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), FORCED + READ + POLICY.format("AS RESTRICTIVE USING (a > 0)"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(ROWS + READ + OWNED)
        assert told(connection, desired) == []


def told_of_owners(connection: psycopg.Connection, desired: Snapshot) -> list[str]:
    owners = Comparison(PrivilegeMode.MANAGED, owners=True)
    made = draft(snapshot(connection), desired, EVERYTHING, owners)
    found = assess(made.changes, made.scene, connection, comparison=owners).hazards
    return [hazard.consent for hazards in found.values() for hazard in hazards]


@pytest.mark.parametrize(
    ("made", "hazards"),
    [
        (VIEW.format("a") + USED, ["access-grant:public.v"]),
        (OPTION.format("security_invoker") + USED, []),
        (VIEW.format("a") + USED + READ, []),
        (ROWS + CALLED.format("SECURITY DEFINER"), ["access-grant:public.f()"]),
        (ROWS + CALLED.format(""), []),
    ],
)
def test_another_owner_is_another_ones_rights(
    new_database: Callable[..., str], made: str, hazards: list[str]
) -> None:
    owned = f"ALTER {'VIEW v' if 'VIEW' in made else 'FUNCTION f()'} OWNER TO {MONITOR}"
    desired = declared(new_database(), made + owned)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{made}; INSERT INTO t VALUES (1)")
        # The owner was a superuser, who loses nothing.
        assert told_of_owners(connection, desired) == hazards


@pytest.mark.parametrize(
    ("before", "after", "hazards"), [(STATS, MONITOR, ["access-loss:public.t"]), (MONITOR, STATS, [])]
)
def test_an_owner_loses_what_he_may_not_do_as_a_member(
    new_database: Callable[..., str], before: str, after: str, hazards: list[str]
) -> None:
    # pg_monitor is a member of pg_read_all_stats, and not the other way round.
    owned = ROWS + "ALTER TABLE t OWNER TO {}"
    desired = declared(new_database(), owned.format(after))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(owned.format(before))
        assert told_of_owners(connection, desired) == hazards
