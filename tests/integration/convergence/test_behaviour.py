"""What would behave differently without looking different is told, and only that."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.test_rows_in_the_way import declared, told

FIRES = (
    "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    " CREATE CONSTRAINT TRIGGER g AFTER {} ON t FOR EACH ROW EXECUTE FUNCTION f();"
)
DISABLED = "ALTER TABLE t DISABLE TRIGGER g;"
SECURE = "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
FORCED = f"{SECURE} ALTER TABLE t FORCE ROW LEVEL SECURITY"
UNUSED = "CREATE TABLE t (a int); ALTER TABLE t FORCE ROW LEVEL SECURITY"

POLICY = "CREATE POLICY p ON t {};"
GRANTED = "CREATE TABLE t (a int); GRANT {} TO pg_monitor;"
DEFINER = (
    "CREATE FUNCTION f() RETURNS int {} LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION f() FROM PUBLIC;"
)
PUBLISHED = "CREATE TABLE t (a int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY {}; CREATE PUBLICATION p FOR TABLE t {};"
CHILD = "CREATE TABLE r (a int); CREATE TABLE t (a int) {};"
MOOD = "CREATE TYPE m AS ENUM ({}); CREATE TABLE t (a int, b {});"
NUMBERED = "CREATE TABLE t (a int, id int {});"
COUNTED = "CREATE SEQUENCE s; CREATE TABLE t (a int DEFAULT 1, b int DEFAULT nextval('s'));"
REMOTE = (
    "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER x FOREIGN DATA WRAPPER w; CREATE TABLE r (a int) {};"
    " CREATE FOREIGN TABLE f {} SERVER x;"
)

# From a schema to another, and what is told where table t has a row; with none in it nothing is.
WITH_ROWS = {
    "trigger disabled": (FIRES.format("INSERT"), FIRES.format("INSERT") + DISABLED, ["behaviour:g on public.t"]),
    "trigger enabled": (FIRES.format("INSERT") + DISABLED, FIRES.format("INSERT"), ["behaviour:g on public.t"]),
    "disabled when made anew": (
        FIRES.format("INSERT"), FIRES.format("DELETE") + DISABLED, ["behaviour:g on public.t"]
    ),
    "lost in a crash": ("CREATE TABLE t (a int)", "CREATE UNLOGGED TABLE t (a int)", ["behaviour:public.t"]),
    "position lost in a crash": (
        COUNTED, COUNTED + "ALTER SEQUENCE s SET UNLOGGED", ["behaviour:public.s"]
    ),
    "labels in another order": (
        MOOD.format("'lo', 'mid', 'hi'", "m"), MOOD.format("'hi', 'mid', 'lo'", "m"), ["behaviour:public.m"]
    ),
    "labels of an array in another order": (
        MOOD.format("'lo', 'hi'", "m[]"), MOOD.format("'hi', 'new', 'lo'", "m[]"), ["behaviour:public.m"]
    ),
    "identity that goes": (
        NUMBERED.format("GENERATED ALWAYS AS IDENTITY"), NUMBERED.format("NOT NULL"), ["data-loss:public.t_id_seq"]
    ),
    "leaves its parent": (CHILD.format("INHERITS (r)"), CHILD.format(""), ["behaviour:public.t"]),
    "row security lifted": (SECURE, "CREATE TABLE t (a int)", ["row-security:public.t"]),
    "owner let off": (FORCED, SECURE, ["row-security:public.t"]),
    "policy added": (SECURE, SECURE + POLICY.format("USING (a > 0)"), ["row-security:p on public.t"]),
    "policy changed": (
        SECURE + POLICY.format("USING (a > 1)"), SECURE + POLICY.format("USING (a > 0)"),
        ["row-security:p on public.t"],
    ),
    "policy for more roles": (
        SECURE + POLICY.format("TO pg_monitor"), SECURE + POLICY.format("TO pg_monitor, pg_read_all_stats"),
        ["row-security:p on public.t"],
    ),
    "policy for fewer roles": (
        SECURE + POLICY.format(""), SECURE + POLICY.format("TO pg_monitor"), ["access-loss:p on public.t"]
    ),
    "restrictive policy for fewer roles": (
        SECURE + POLICY.format("AS RESTRICTIVE"), SECURE + POLICY.format("AS RESTRICTIVE TO pg_monitor"),
        ["row-security:p on public.t"],
    ),
    "policy dropped": (SECURE + POLICY.format(""), SECURE, ["access-loss:p on public.t"]),
    "restrictive policy dropped": (SECURE + POLICY.format("AS RESTRICTIVE"), SECURE, ["row-security:p on public.t"]),
    "granted to everybody": (
        GRANTED.format("SELECT ON t"), GRANTED.format("SELECT ON t") + "GRANT SELECT ON t TO PUBLIC",
        ["access-grant:public.t"],
    ),
    "column granted to everybody": (
        GRANTED.format("SELECT (a) ON t"), GRANTED.format("SELECT (a) ON t") + "GRANT SELECT (a) ON t TO PUBLIC",
        ["access-grant:public.t.a"],
    ),
    "may be passed on": (
        GRANTED.format("SELECT ON t"), GRANTED.format("SELECT ON t") + "GRANT SELECT ON t TO pg_monitor WITH GRANT OPTION",
        ["access-grant:public.t"],
    ),
}  # fmt: skip

# What does no harm with rows either.
HARMLESS = {
    "logged": ("CREATE UNLOGGED TABLE t (a int)", "CREATE TABLE t (a int)"),
    "label between others": (MOOD.format("'lo', 'hi'", "m"), MOOD.format("'lo', '1', 'hi'", "m")),
    "sequence that takes over": (
        NUMBERED.format("GENERATED ALWAYS AS IDENTITY"),
        NUMBERED.format("NOT NULL") + "CREATE SEQUENCE s OWNED BY t.id; ALTER TABLE t ALTER id SET DEFAULT nextval('s')",
    ),
    "trigger made anew": (FIRES.format("INSERT"), FIRES.format("DELETE")),
    "disabled trigger made anew": (FIRES.format("INSERT") + DISABLED, FIRES.format("DELETE") + DISABLED),
    "row security turned on": ("CREATE TABLE t (a int)", FORCED),
    "nothing to force": (UNUSED, "CREATE TABLE t (a int)"),
    "restrictive policy added": (SECURE, SECURE + POLICY.format("AS RESTRICTIVE USING (a > 0)")),
    "policy that nobody enforces": ("CREATE TABLE t (a int)", "CREATE TABLE t (a int);" + POLICY.format("")),
    "granted to a role": ("CREATE TABLE t (a int)", GRANTED.format("SELECT ON t")),
    "more granted to a role": (GRANTED.format("SELECT ON t"), GRANTED.format("SELECT, INSERT ON t")),
    "replica identity that nobody needs": (
        "CREATE TABLE t (a int)", "CREATE TABLE t (a int); ALTER TABLE t REPLICA IDENTITY FULL"
    ),
    "replica identity for inserts": (
        PUBLISHED.format("DEFAULT", "WITH (publish = 'insert')"), PUBLISHED.format("FULL", "WITH (publish = 'insert')")
    ),
    "function with the caller's rights": (
        DEFINER.format(""), DEFINER.format("") + "GRANT EXECUTE ON FUNCTION f() TO PUBLIC, pg_monitor"
    ),
}  # fmt: skip

# What is told whatever rows there are.
WITHOUT_ROWS = {
    "foreign table leaves its parent": (
        REMOTE.format("PARTITION BY RANGE (a)", "PARTITION OF r DEFAULT"),
        REMOTE.format("PARTITION BY RANGE (a)", "(a int)"), ["behaviour:public.f"],
    ),
    "replica identity of what is published": (
        PUBLISHED.format("DEFAULT", ""), PUBLISHED.format("FULL", ""), ["behaviour:public.t"]
    ),
    "rights of a definer for everybody": (
        DEFINER.format("SECURITY DEFINER") + "GRANT EXECUTE ON FUNCTION f() TO pg_monitor",
        DEFINER.format("SECURITY DEFINER") + "GRANT EXECUTE ON FUNCTION f() TO pg_monitor, PUBLIC",
        ["access-grant:public.f()"],
    ),
}  # fmt: skip


def inserted(schema: str) -> str:
    """One row, with a label where the table has a column for it."""
    label = {"b m)": ", 'lo'", "b m[])": ", '{lo}'"}
    return f"INSERT INTO t VALUES (1{next((v for column, v in label.items() if column in schema), '')})"


@pytest.mark.parametrize("name", WITH_ROWS)
def test_rows_make_the_harm(new_database: Callable[..., str], name: str) -> None:
    old, new, hazards = WITH_ROWS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert told(connection, desired) == []
        connection.execute(inserted(old))
        assert [h.consent for h in told(connection, desired, carry_out=True)] == hazards


@pytest.mark.parametrize("name", HARMLESS)
def test_no_harm(new_database: Callable[..., str], name: str) -> None:
    old, new = HARMLESS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        if "TABLE t" in old:
            connection.execute(inserted(old))
        assert told(connection, desired, carry_out=True) == []


@pytest.mark.parametrize("name", WITHOUT_ROWS)
def test_harm_without_rows(new_database: Callable[..., str], name: str) -> None:
    old, new, hazards = WITHOUT_ROWS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert [h.consent for h in told(connection, desired, carry_out=True)] == hazards
