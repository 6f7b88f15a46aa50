"""Privileges in the live database that the files do not have: where a new object gets them from, and who gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from novaops.project import Project

Connection = psycopg.Connection[Any]


def has(live: Connection, kind: str, grantee: str, name: str, privilege: str) -> bool:
    row = live.execute(f"SELECT has_{kind}_privilege(%s, %s, %s)", [grantee, name, privilege]).fetchone()
    return row is not None and bool(row[0])


@pytest.mark.parametrize(
    ("objects", "create", "kind", "privilege"),
    [
        ("TABLES", "CREATE TABLE x (a int);", "table", "SELECT"),
        ("SEQUENCES", "CREATE SEQUENCE x;", "sequence", "USAGE"),
        ("TYPES", "CREATE TYPE x AS ENUM ('a'); REVOKE USAGE ON TYPE x FROM PUBLIC;", "type", "USAGE"),
    ],
)
def test_default_privileges_are_taken_from_a_new_object_that_is_declared_without(
    live: Connection,
    declare: Callable[..., Project],
    role: Callable[[str], str],
    objects: str,
    create: str,
    kind: str,
    privilege: str,
) -> None:
    reader, other = role("reader"), role("other")
    live.execute(f"ALTER DEFAULT PRIVILEGES GRANT {privilege} ON {objects} TO {reader}")
    assert declare(create).apply().left == ()
    assert not has(live, kind, reader, "public.x", privilege)
    live.execute(f"DROP {kind} x")
    grant = f"GRANT {privilege} ON {kind} x TO {other};"
    assert declare(create + grant).apply().left == ()
    assert has(live, kind, other, "public.x", privilege)
    assert not has(live, kind, reader, "public.x", privilege)


def test_a_foreign_server_has_no_default_privileges(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str]
) -> None:
    """Its letter for acldefault() is the one that default privileges have for sequences."""
    live.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {role('reader')}")
    project = declare("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;")
    assert project.apply().left == ()


# -- who gave them ------------------------------------------------------------------------------

T = "CREATE TABLE t (a int, b text);\n"


@pytest.fixture
def chain(live: Connection, role: Callable[[str], str]) -> Iterator[tuple[str, str, str]]:
    """Three roles: the owner has granted SELECT on t to the first, that one to the second, and so on."""
    one, two, three = role("one"), role("two"), role("three")
    live.execute(T + f"GRANT SELECT ON t TO {one} WITH GRANT OPTION")
    live.execute(
        f"SET ROLE {one}; GRANT SELECT ON t TO {two} WITH GRANT OPTION; GRANT SELECT (b) ON t TO {two}"
    )
    live.execute(f"SET ROLE {two}; GRANT SELECT ON t TO {three}; RESET ROLE")
    yield one, two, three
    live.execute("DROP TABLE IF EXISTS t")


def given(live: Connection) -> set[tuple[str, bool]]:
    """Who may SELECT from t, whether with the option, but for its owner."""
    rows = live.execute(
        "SELECT g.rolname, a.is_grantable FROM pg_class c, aclexplode(c.relacl) a, pg_roles g"
        " WHERE c.oid = 't'::regclass AND g.oid = a.grantee AND a.grantee <> c.relowner"
    )
    return set(rows.fetchall())


@pytest.mark.parametrize(
    ("kept", "column"),
    [
        ({0: True}, False),
        ({}, False),
        ({0: True, 1: True, 2: False}, False),
        ({0: True, 1: True}, True),
        ({0: False, 2: False}, False),
        ({1: False}, True),
        ({2: True}, False),
    ],
)
def test_what_others_have_passed_on_is_taken_back_and_given_again(
    live: Connection,
    declare: Callable[..., Project],
    chain: tuple[str, str, str],
    kept: dict[int, bool],
    column: bool,
) -> None:
    grants = [
        f"GRANT SELECT ON t TO {chain[n]}{' WITH GRANT OPTION' if option else ''};"
        for n, option in kept.items()
    ]
    if column:
        grants.append(f"GRANT SELECT (b) ON t TO {chain[1]};")
    project = declare(T + "".join(grants), privileges="managed")
    made = project.plan()
    assert project.apply(made, allow=["access-loss", "access-grant"]).left == ()
    assert given(live) == {(chain[n], option) for n, option in kept.items()}
    row = live.execute("SELECT has_column_privilege(%s, 't', 'b', 'SELECT')", [chain[1]]).fetchone()
    assert row == (column or 1 in kept,)
    assert not project.plan().todo


def test_what_cannot_be_taken_back_is_said_and_not_tried(
    live: Connection,
    declare: Callable[..., Project],
    chain: tuple[str, str, str],
    url: str,
    role: Callable[[str], str],
) -> None:
    """The owner is no member of the role that has passed it on, so that only CASCADE would help."""
    owner = role("owner")
    live.execute(f"ALTER ROLE {owner} LOGIN CREATEDB PASSWORD 'right'; ALTER SCHEMA public OWNER TO {owner}")
    live.execute(f"ALTER TABLE t OWNER TO {owner}; GRANT CREATE ON DATABASE {live.info.dbname} TO {owner}")
    there = urlsplit(url)
    mine = f"postgresql://{owner}:right@{there.hostname}:{there.port}{there.path}"
    project = declare(T + "CREATE TABLE u (a int);", at=mine, privileges="managed")
    made = project.plan()
    assert [s.sql for s in made.statements if "REVOKE" in s.sql] == []
    assert any(f"SELECT of {chain[2]} stays, as {chain[1]} gave it" in notice for notice in made.notices)
    assert project.apply(made, allow=["all"]).left == ()
    live.execute("ALTER SCHEMA public OWNER TO pg_database_owner")


def test_a_grant_that_left_the_files_is_named(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str]
) -> None:
    reader = role("reader")
    tables = "CREATE TABLE t (a int); CREATE TABLE u (a int);"
    both = "".join(f"GRANT SELECT ON {name} TO {reader};" for name in ("t", "u"))
    assert declare(tables + both).apply().left == ()
    assert declare(tables + both).plan().notices == ()
    made = declare(tables + f"GRANT SELECT ON t TO {reader};").plan()
    assert made.statements == ()
    (notice,) = made.notices
    assert notice.startswith("privileges on public.u are not compared, as the files give none: ")
    assert declare(tables + f"GRANT SELECT ON t TO {reader};", privileges="ignore").plan().notices == ()
    # Files without any grant leave them all to others.
    assert declare(tables).plan().notices == ()
