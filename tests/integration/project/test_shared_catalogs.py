"""Statements of files that change what all databases of the server share: nothing but an apply may commit that, or nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.execution.rehearsal import Rehearsal
from novaops.project import Project

Connection = psycopg.Connection[Any]
ROLE = "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n"
SETTING = "DO $$ BEGIN EXECUTE 'ALTER ROLE {there} SET work_mem = ''7MB'''; END $$;\n"
COMMENT = "DO $$ BEGIN EXECUTE 'COMMENT ON ROLE {there} IS ''changed'''; END $$;\n"
MEMBER = "DO $$ BEGIN EXECUTE 'GRANT {there} TO {other}'; END $$;\n"
FUNCTION = (
    "CREATE FUNCTION make() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE ROLE {role}; RETURN 1; END $$;\n"
    "CREATE MATERIALIZED VIEW m AS SELECT make();\n"
)
TABLE = "CREATE TABLE t (a int PRIMARY KEY);\n"
STATE = """
SELECT (SELECT count(*) FROM pg_roles WHERE rolname = %(role)s),
       (SELECT rolconfig FROM pg_roles WHERE rolname = %(there)s),
       (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %(there)s),
       (SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE r.rolname = %(there)s)
"""
UNTOUCHED = (0, None, None, 0)


@pytest.fixture
def names(role: Callable[[str], str], live: Connection) -> Iterator[dict[str, str]]:
    """`there` and `other` are roles, `role` is not."""
    passing = f"passing_{secrets.token_hex(4)}"
    yield {"there": role("there"), "other": role("other"), "role": passing}
    live.execute(f"DROP OWNED BY {passing}") if state_has(live, passing) else None
    live.execute(f"DROP ROLE IF EXISTS {passing}")


def state_has(live: Connection, role: str) -> bool:
    return live.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def state(live: Connection, names: dict[str, str]) -> tuple[Any, ...]:
    row = live.execute(STATE, names).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("text", [ROLE, SETTING, COMMENT, MEMBER, FUNCTION])
def test_a_rehearsal_commits_nothing_to_them(
    live: Connection, declare: Callable[..., Project], names: dict[str, str], text: str
) -> None:
    project = declare((text + TABLE).format(**names))
    made = project.rehearse(project.plan())
    assert state(live, names) == UNTOUCHED
    found = Rehearsal.of(made.rehearsal)
    assert not found.failed
    if text is FUNCTION:  # the plan itself would make the role
        assert "whole server" in str(found)
    else:
        assert found.converges
        assert "is not committed" in found.pg_dump


def test_what_is_said_of_the_database_itself_is_no_such_change(
    live: Connection, declare: Callable[..., Project]
) -> None:
    text = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database()); END $$;\n"
    text += "DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS ''mine''', current_database()); END $$;\n"
    project = declare(text + TABLE)
    assert Rehearsal.of(project.rehearse(project.plan()).rehearsal).pg_dump == "agrees"


MANY = "".join(f"CREATE TABLE many_{n} (a int PRIMARY KEY);\n" for n in range(900))


def test_a_large_schema_may_make_roles_for_itself(
    live: Connection, declare: Callable[..., Project], names: dict[str, str]
) -> None:
    """It is built with commits; what needs the role comes last, and is rolled back with it."""
    text = ROLE + SETTING + MANY + TABLE + "GRANT SELECT ON t TO {role};\nDO $$ BEGIN NULL; END $$;"
    made = declare(text.format(**names)).plan()
    assert state(live, names) == UNTOUCHED
    assert any(s.sql == f"GRANT SELECT ON TABLE public.t TO {names['role']}" for s in made.statements)


def test_a_role_that_the_files_make_is_asked_for_before_it_is_needed(
    live: Connection, declare: Callable[..., Project], names: dict[str, str]
) -> None:
    text = (ROLE + TABLE + "GRANT SELECT ON t TO {role};").format(**names)
    project = declare(text)
    made = project.plan()
    assert any(f'role "{names["role"]}" is not made by a plan' in notice for notice in made.notices)
    with pytest.raises(NovaopsError, match=f"the plan needs {names['role']}") as refused:
        project.apply(made)
    assert refused.value.hint is not None
    assert "--missing-roles create" in refused.value.hint
    assert state(live, names) == UNTOUCHED
    assert declare(text, missing_roles="create").apply().left == ()
    assert state_has(live, names["role"])
    assert not declare(text).plan().todo


def test_without_need_of_the_role_it_is_only_said(
    live: Connection, declare: Callable[..., Project], names: dict[str, str]
) -> None:
    assert declare((ROLE + TABLE).format(**names)).apply().left == ()
    assert state(live, names) == UNTOUCHED
