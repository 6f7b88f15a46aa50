"""Privileges on what the server or an extension brought along."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.kinds.conftest import Connection, snapshot
from tests.integration.kinds.converge import converge


@pytest.fixture
def role(database: Connection) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    database.execute(f"CREATE ROLE {name}")
    yield name
    database.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize(
    ("granted", "statements"),
    [
        ("GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO {}", 1),
        (
            "REVOKE EXECUTE ON FUNCTION lower(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION lower(text) TO {}",
            2,
        ),
        ("GRANT SELECT (rolname, rolsuper) ON pg_authid TO {}", 2),
        ("GRANT SELECT ON pg_statistic TO {} WITH GRANT OPTION", 1),
        ("REVOKE USAGE ON TYPE int8 FROM PUBLIC; GRANT USAGE ON TYPE int8 TO {}", 2),
        ("REVOKE USAGE ON LANGUAGE sql FROM PUBLIC", 1),
        ("GRANT CREATE ON SCHEMA pg_catalog TO {}", 1),
    ],
)
def test_of_the_server(database: Connection, role: str, granted: str, statements: int) -> None:
    text = granted.format(role)
    assert len(converge(database, "", text, "", text)) == statements
    assert {o.kind for o in snapshot(database)} == {"schema", "supplied object"}


def test_in_its_first_state_it_is_no_object(database: Connection, role: str) -> None:
    database.execute(f"GRANT EXECUTE ON FUNCTION lower(text) TO {role}")
    database.execute(f"REVOKE EXECUTE ON FUNCTION lower(text) FROM {role}")
    assert {o.kind for o in snapshot(database)} == {"schema"}


@pytest.mark.extension("hstore")
def test_of_an_extension(database: Connection, role: str) -> None:
    extension = "CREATE EXTENSION hstore; "
    text = f"REVOKE EXECUTE ON FUNCTION hstore(text, text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION hstore(text, text) TO {role}"
    assert len(converge(database, extension, extension + text)) == 2
