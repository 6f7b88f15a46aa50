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

CASES = {
    "trigger disabled": (FIRES.format("INSERT"), FIRES.format("INSERT") + DISABLED, ["behaviour:g on public.t"]),
    "trigger enabled": (FIRES.format("INSERT") + DISABLED, FIRES.format("INSERT"), ["behaviour:g on public.t"]),
    "trigger made anew": (FIRES.format("INSERT"), FIRES.format("DELETE"), []),
    "disabled trigger made anew": (FIRES.format("INSERT") + DISABLED, FIRES.format("DELETE") + DISABLED, []),
    "disabled when made anew": (
        FIRES.format("INSERT"), FIRES.format("DELETE") + DISABLED, ["behaviour:g on public.t"]
    ),
    "row security lifted": (SECURE, "CREATE TABLE t (a int)", ["row-security:public.t"]),
    "owner let off": (FORCED, SECURE, ["row-security:public.t"]),
    "row security turned on": ("CREATE TABLE t (a int)", FORCED, []),
    "nothing to force": (UNUSED, "CREATE TABLE t (a int)", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_told(new_database: Callable[..., str], name: str) -> None:
    old, new, hazards = CASES[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert [h.consent for h in told(connection, desired, carry_out=True)] == hazards
