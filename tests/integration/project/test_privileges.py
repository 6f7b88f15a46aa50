"""Privileges in the live database that the files do not have: where a new object gets them from, and who gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from novaops.errors import RefusedError
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


# -- where the files give none ------------------------------------------------------------------

TABLE = "CREATE TABLE t (a int PRIMARY KEY);"


def default_privileges(live: Connection, grantee: str) -> set[tuple[str, str]]:
    """What `grantee` is given on objects to come, as (letter of the type of object, privilege)."""
    rows = live.execute(
        "SELECT d.defaclobjtype::text, a.privilege_type FROM pg_default_acl d, aclexplode(d.defaclacl) a"
        " WHERE a.grantee = %s::regrole",
        [grantee],
    )
    return set(rows.fetchall())


def revoking(project: Project) -> list[str]:
    return [s.sql for s in project.plan().statements if "REVOKE" in s.sql]


def test_auto_revokes_nothing_on_a_schema_that_the_files_do_not_create(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str]
) -> None:
    reader = role("reader")
    live.execute(f"{TABLE} INSERT INTO t VALUES (1); GRANT USAGE, CREATE ON SCHEMA public TO {reader}")
    project = declare(TABLE)
    assert not project.plan().todo
    assert project.apply().left == ()
    assert has(live, "schema", reader, "public", "CREATE")
    assert revoking(declare(TABLE, privileges="managed")) == [
        f"REVOKE CREATE, USAGE ON SCHEMA public FROM {reader}"
    ]


def test_auto_compares_the_privileges_of_schema_public_where_the_files_give_any(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str]
) -> None:
    reader, other = role("reader"), role("other")
    live.execute(f"{TABLE} GRANT USAGE ON SCHEMA public TO {reader}")
    project = declare(f"{TABLE} GRANT USAGE ON SCHEMA public TO {other};")
    made = project.plan()
    assert [h.consent for h in made.blocked] == ["access-loss:public"]
    assert project.apply(made, allow=["access-loss:public"]).left == ()
    row = live.execute("SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'").fetchone()
    assert row is not None
    assert f"{other}=U/" in row[0]
    assert f"{reader}=" not in row[0]


@pytest.mark.parametrize("where", ["", "IN SCHEMA app"])
@pytest.mark.parametrize("mode", ["auto", "additive", "ignore"])
def test_default_privileges_that_the_files_do_not_mention_stay(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str], mode: str, where: str
) -> None:
    declared = "CREATE SCHEMA app; CREATE TABLE app.t (a int);"
    reader = role("reader")
    live.execute(f"{declared} INSERT INTO app.t VALUES (1);")
    live.execute(f"ALTER DEFAULT PRIVILEGES {where} GRANT SELECT ON TABLES TO {reader}")
    project = declare(declared, privileges=mode)
    assert not project.plan().todo
    assert project.apply().left == ()
    assert default_privileges(live, reader) == {("r", "SELECT")}


@pytest.mark.parametrize("where", ["", "IN SCHEMA app"])
def test_default_privileges_are_revoked_by_consent_where_all_are_managed(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str], where: str
) -> None:
    declared = "CREATE SCHEMA app; CREATE TABLE app.t (a int);"
    reader = role("reader")
    live.execute(f"{declared} ALTER DEFAULT PRIVILEGES {where} GRANT SELECT ON TABLES TO {reader}")
    project = declare(declared, privileges="managed", scope="database")
    made = project.plan()
    assert [(h.hazard, h.message) for h in made.blocked] == [
        ("access-loss", f"revokes SELECT of {reader} on objects to come")
    ]
    with pytest.raises(RefusedError):
        project.apply(made)
    assert default_privileges(live, reader) == {("r", "SELECT")}
    assert project.apply(made, allow=[made.blocked[0].consent]).left == ()
    assert default_privileges(live, reader) == set()


@pytest.mark.parametrize(
    ("mode", "left", "blocked"),
    [
        ("auto", {("r", "INSERT"), ("S", "USAGE")}, ["access-loss"]),
        ("managed", {("r", "INSERT")}, ["access-loss", "access-loss"]),
        ("additive", {("r", "INSERT"), ("r", "SELECT"), ("S", "USAGE")}, []),
        ("ignore", {("r", "SELECT"), ("S", "USAGE")}, []),
    ],
)
def test_default_privileges_are_compared_by_role_schema_and_type_of_object(
    live: Connection,
    declare: Callable[..., Project],
    role: Callable[[str], str],
    mode: str,
    left: set[tuple[str, str]],
    blocked: list[str],
) -> None:
    reader = role("reader")
    head = "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
    live.execute(f"{head} GRANT SELECT ON TABLES TO {reader}; {head} GRANT USAGE ON SEQUENCES TO {reader}")
    project = declare(f"{head} GRANT INSERT ON TABLES TO {reader};", privileges=mode)
    made = project.plan()
    assert [h.hazard for h in made.blocked] == blocked
    assert project.apply(made, allow=blocked).left == ()
    assert default_privileges(live, reader) == left
    assert not project.plan().todo


def test_default_privileges_of_an_ignored_role_stay_where_all_are_managed(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str], tmp_path: Path
) -> None:
    kept, lost = role("kept"), role("lost")
    live.execute(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {kept}, {lost}")
    ignore = tmp_path / "ignore"
    ignore.write_text('[default_privileges]\npatterns = ["kept_*"]\n')
    project = declare(TABLE, privileges="managed", ignore_file=ignore, scope="database")
    assert project.apply(allow=["access-loss"]).left == ()
    assert default_privileges(live, kept) == {("r", "SELECT")}
    assert default_privileges(live, lost) == set()
    assert not project.plan().todo


def test_privileges_on_what_the_server_supplies_stay_unless_all_are_managed(
    live: Connection, declare: Callable[..., Project], role: Callable[[str], str]
) -> None:
    reader = role("reader")
    live.execute(f"{TABLE} GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO {reader}")
    for mode in ("auto", "additive", "ignore"):
        assert not declare(TABLE, privileges=mode, scope="database").plan().todo
    project = declare(TABLE, privileges="managed", scope="database")
    made = project.plan()
    assert [h.hazard for h in made.blocked] == ["access-loss"]
    assert project.apply(made, allow=["access-loss"]).left == ()
    assert not has(live, "function", reader, "pg_catalog.pg_ls_dir(text)", "EXECUTE")


def test_a_new_revoke_on_what_the_server_supplies_takes_access_away(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(TABLE)
    revoke = "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_size_pretty(bigint) FROM PUBLIC;"
    row = "SELECT has_function_privilege('public', 'pg_catalog.pg_size_pretty(bigint)', 'EXECUTE')"
    for mode in ("additive", "ignore"):
        assert not declare(TABLE + revoke, privileges=mode).plan().todo
    project = declare(TABLE + revoke)
    made = project.plan()
    assert [h.hazard for h in made.blocked] == ["access-loss"]
    assert project.apply(made, allow=["access-loss"]).left == ()
    assert live.execute(row).fetchone() == (False,)


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
