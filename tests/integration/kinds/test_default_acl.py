from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.integration.kinds.conftest import Convert


@pytest.fixture
def roles(database: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    """Two roles of the test's own: one that makes objects, one (in need of quotes) that uses them."""
    suffix = uuid4().hex[:8]
    maker, user = f"maker_{suffix}", f"The user {suffix}"
    database.execute(f'CREATE ROLE {maker}; CREATE ROLE "{user}"; CREATE SCHEMA s')
    yield maker, f'"{user}"'
    database.execute(f'DROP OWNED BY {maker}; DROP OWNED BY "{user}"; DROP ROLE {maker}, "{user}"')


STATES = {
    "none": "",
    "read": "ALTER DEFAULT PRIVILEGES FOR ROLE {maker} {where} GRANT SELECT ON TABLES TO {user}",
    "write": "ALTER DEFAULT PRIVILEGES FOR ROLE {maker} {where} GRANT SELECT, INSERT ON TABLES TO {user}, PUBLIC",
    "grant on": "ALTER DEFAULT PRIVILEGES FOR ROLE {maker} {where} GRANT SELECT ON TABLES TO {user} WITH GRANT OPTION",
}


@pytest.mark.parametrize("where", ["", "IN SCHEMA s"])
@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", STATES)
def test_tables(convert: Convert, roles: tuple[str, str], where: str, old: str, new: str) -> None:
    maker, user = roles
    before, after = (STATES[x].format(maker=maker, user=user, where=where) for x in (old, new))
    assert bool(convert("default acl", before, after)) == (old != new)


@pytest.mark.parametrize(
    "state",
    [
        "REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "REVOKE ALL ON FUNCTIONS FROM PUBLIC, {maker}",
        "REVOKE USAGE ON TYPES FROM PUBLIC",
        "GRANT USAGE, CREATE ON SCHEMAS TO {user}",
        "GRANT ALL ON SEQUENCES TO {user}",
    ],
)
def test_built_in_defaults_are_left_and_restored(
    convert: Convert, roles: tuple[str, str], state: str
) -> None:
    maker, user = roles
    statement = f"ALTER DEFAULT PRIVILEGES FOR ROLE {maker} " + state.format(maker=maker, user=user)
    assert convert("default acl", "", statement)


def test_built_in_defaults_return(convert: Convert, roles: tuple[str, str]) -> None:
    maker, _ = roles
    revoked = f"ALTER DEFAULT PRIVILEGES FOR ROLE {maker} REVOKE ALL ON FUNCTIONS FROM PUBLIC, {maker}"
    assert len(convert("default acl", revoked, "")) == 2


def test_statements(convert: Convert, roles: tuple[str, str]) -> None:
    maker, user = roles
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {maker} IN SCHEMA s"
    assert convert(
        "default acl",
        f"{head} GRANT SELECT, INSERT ON TABLES TO {user} WITH GRANT OPTION; {head} GRANT DELETE ON TABLES TO {user}",
        f"{head} GRANT SELECT ON TABLES TO {user}; {head} GRANT UPDATE ON TABLES TO PUBLIC",
    ) == [
        f"{head} REVOKE DELETE ON TABLES FROM {user}",
        f"{head} REVOKE INSERT ON TABLES FROM {user}",
        f"{head} REVOKE GRANT OPTION FOR SELECT ON TABLES FROM {user}",
        f"{head} GRANT UPDATE ON TABLES TO PUBLIC",
    ]
