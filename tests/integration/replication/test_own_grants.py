"""What replicate has granted, taken away and put in the way of writers is left as it is by every plan."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from novaops.project import Options, Project
from novaops.replication.declaration import Replication
from novaops.replication.overlay import overlay

from .acting import Chat, execute, run
from .conftest import CHAT

MODES = ("auto", "managed", "additive", "ignore")


@pytest.fixture
def someone(server_url: str, chat: Chat) -> Iterator[str]:
    """A role to which the files grant something."""
    name = f"someone_{secrets.token_hex(4)}"
    execute(server_url, f"CREATE ROLE {name}")
    yield name
    for url in chat[:2]:
        execute(url, f"DROP OWNED BY {name}")
    execute(server_url, f"DROP ROLE {name}")


def planned(url: str, file: Path, **options: object) -> list[str]:
    with Project(url, file, Options(ignore_file=None, **options)) as project:  # type: ignore[arg-type]
        return [statement.sql for statement in project.plan().statements]


def privileges(url: str, role: str) -> set[str]:
    query = "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = %s"
    with psycopg.connect(url) as connection:
        return {privilege for (privilege,) in connection.execute(query, [role])}


@pytest.fixture
def with_role(chat: Chat) -> Iterator[tuple[str, Replication]]:
    """URL of the source, and a replication that was set up with a role that replicate has made."""
    source, target, declared = chat
    reach = dict(declared.server_conninfo)
    if "passfile" not in reach:
        pytest.skip("this server wants no password")
    passfile, role = Path(reach["passfile"]), f"replicator_{declared.slot[-8:]}"
    kept = passfile.read_text()
    server = {name: value for name, value in reach.items() if name != "user"}
    limited = replace(declared, server_conninfo=server, role=role)
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'a row')")
    try:
        run(limited)
        yield source, limited
    finally:
        passfile.write_text(kept)
        execute(target, f"ALTER SUBSCRIPTION {limited.subscription} DISABLE")
        execute(source, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("mode", MODES)
def test_the_role_of_a_subscription_keeps_what_it_has(
    with_role: tuple[str, Replication], someone: str, tmp_path: Path, mode: str
) -> None:
    """The files grant on the same table and schema, so that these are compared."""
    source, declared = with_role
    assert declared.role is not None
    file = tmp_path / "schema.sql"
    grants = f"GRANT SELECT ON agent_chat TO {someone}; GRANT USAGE ON SCHEMA public TO {someone};"
    file.write_text(CHAT + grants)
    for sql in planned(source, file, privileges=mode):
        assert "REVOKE" not in sql
        assert declared.role not in sql
    execute(source, f"COMMENT ON ROLE {declared.role} IS NULL")
    by_declaration = overlay([declared], declared.source)
    assert not any("REVOKE" in sql for sql in planned(source, file, privileges=mode, overlay=by_declaration))
    if mode in ("auto", "managed"):
        # Not by declaration and not by its comment it is a role like any other.
        assert any(declared.role in sql for sql in planned(source, file, privileges=mode))


@pytest.mark.parametrize("mode", MODES)
def test_a_read_only_replica_stays_so_where_the_files_know_nothing_of_it(
    chat: Chat, someone: str, tmp_path: Path, mode: str
) -> None:
    source, target, declared = chat
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'a row')")
    execute(target, f"GRANT SELECT, INSERT ON agent_chat TO {someone}")
    run(replace(declared, read_only=True))
    assert privileges(target, someone) == {"SELECT"}
    file = tmp_path / "schema.sql"
    always = "ALTER TABLE agent_chat ENABLE ALWAYS TRIGGER trg_notify_agent_chat;"
    file.write_text(f"{CHAT}{always} GRANT SELECT, INSERT ON agent_chat TO {someone};")
    assert planned(target, file, privileges=mode, undeclared="drop") == []
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        execute(target, "DELETE FROM agent_chat")
