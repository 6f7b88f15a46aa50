from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from novaops.db.identifiers import quote_ident
from novaops.desired.build import Desired, build
from novaops.desired.shadow import created
from novaops.desired.split import File, Statement, split
from novaops.diagnostics import DiagnosticsError
from novaops.kinds import registry

THERE = ('role "there"', "member's")


@pytest.fixture(scope="module")
def shadow(server_url: str) -> Iterator[psycopg.Connection[Any]]:
    """An empty database on a server that has two roles, one a member of the other."""
    whole, member = map(quote_ident, THERE)
    with psycopg.connect(server_url, autocommit=True) as maintenance, created(server_url) as connection:
        maintenance.execute(f"CREATE ROLE {whole}; CREATE ROLE {member}; GRANT {whole} TO {member}")
        try:
            yield connection
        finally:
            maintenance.execute(f"DROP ROLE {whole}, {member}")


def made(shadow: psycopg.Connection[Any], text: str) -> Desired:
    statements = [part for part in split(File.of("schema.sql", text)) if isinstance(part, Statement)]
    return build(shadow, statements, readers=list(registry().values()))


@pytest.mark.parametrize(
    "text",
    [
        'CREATE ROLE "role ""there""" LOGIN;',
        'create user "member\'s";',
        'GRANT "role ""there""" TO "member\'s";',
    ],
)
def test_what_is_so_already_is_left_out(shadow: psycopg.Connection[Any], text: str) -> None:
    desired = made(shadow, text + "\nCREATE TABLE t ();")
    assert [str(notice.source) for notice in desired.notices] == ["schema.sql:1"]
    assert "it is so already" in desired.notices[0].message
    assert any(obj.name == "t" for obj in desired.snapshot)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE ROLE nobody;",
        'GRANT "member\'s" TO "role ""there""";',
        'GRANT "role ""there""", nobody TO "member\'s";',
        'GRANT "role ""there""" TO "member\'s" WITH ADMIN OPTION;',
        'REVOKE "role ""there""" FROM "member\'s";',
        'DROP ROLE "member\'s";',
        'ALTER ROLE "member\'s" SUPERUSER;',
    ],
)
def test_what_would_change_something_is_refused(shadow: psycopg.Connection[Any], text: str) -> None:
    with pytest.raises(DiagnosticsError) as error:
        made(shadow, "CREATE TABLE t ();\n" + text)
    (found,) = error.value.diagnostics
    assert "is refused" in found.message
    assert str(found.source) == "schema.sql:2"
