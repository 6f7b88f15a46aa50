"""Privileges in the live database that the files do not have: where a new object gets them from, and who gave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
