"""How the target's server logs in at the source: with a role that is made, and a password that nobody sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from novaops.errors import NovaopsError
from novaops.replication.declaration import Replication
from novaops.replication.pair import open_pair
from novaops.replication.set_up import subscription

from .acting import Chat, clean, run


def processes() -> str:
    """What the list of processes shows of each."""
    shown = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            shown.append(file.read_bytes().decode(errors="replace"))
    return "\n".join(shown)


def test_a_role_is_made_with_a_password_that_nobody_sees(
    chat: Chat, for_servers: Callable[[str], Mapping[str, str]], capfd: pytest.CaptureFixture[str]
) -> None:
    source, target, declared = chat
    reach = dict(declared.server_conninfo)
    if "passfile" not in reach:
        pytest.skip("this server wants no password")
    passfile = Path(reach["passfile"])
    kept = passfile.read_text()
    role = f"replicator_{declared.slot[-8:]}"
    limited = Replication(
        declared.name, declared.source, declared.target, declared.tables,
        server_conninfo={k: v for k, v in reach.items() if k != "user"}, role=role,
    )  # fmt: skip
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET log_statement = 'all'")
        data = connection.execute("SHOW data_directory").fetchone()
        assert data is not None
        log = Path(data[0]) / "server.log"
    try:
        outcome = run(limited)
        password = passfile.read_text().splitlines()[0].rpartition(":")[2]
        assert passfile.stat().st_mode & 0o777 == 0o600
        assert password not in repr(outcome)
        assert password not in "".join(capfd.readouterr())
        assert password not in processes()
        logged = log.read_text()
        assert f'TO "{role}"' in logged
        assert password not in logged
        assert f'CREATE ROLE "{role}"' not in logged  # it shows the verifier
        with psycopg.connect(target) as connection:
            row = connection.execute(
                "SELECT subconninfo FROM pg_subscription WHERE subname = %s", [limited.subscription]
            )
            text = str(row.fetchone())
            assert password not in text
            assert f"user={role}" in text
        with (
            psycopg.connect(source, user=role, passfile=str(passfile)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("DELETE FROM agent_chat")
        assert run(limited).done == ()
    finally:
        passfile.write_text(kept)
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(
                "ALTER SUBSCRIPTION agent_chat_from_"
                + limited.subscription.rpartition("from_")[2]
                + " DISABLE"
            )
        with psycopg.connect(source, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_password_without_a_place_is_refused(chat: Chat) -> None:
    source, target, declared = chat
    role = f"replicator_{declared.slot[-8:]}"
    reach = {k: v for k, v in declared.server_conninfo.items() if k not in ("passfile", "user")}
    limited = Replication(
        declared.name, declared.source, declared.target, declared.tables, server_conninfo=reach, role=role
    )
    with pytest.raises(NovaopsError, match="needs a password"):
        run(limited)
    assert clean(source, target, declared)


def test_no_password_for_the_server_is_said_with_the_way_out(chat: Chat) -> None:
    source, target, declared = chat
    if "passfile" not in conninfo_to_dict(source):
        pytest.skip("this server wants no password")
    reach = {k: v for k, v in declared.server_conninfo.items() if k != "passfile"}
    bare = Replication(
        declared.name, declared.source, declared.target, declared.tables, server_conninfo=reach
    )
    with pytest.raises(NovaopsError, match="cannot log in") as refused:
        run(bare)
    assert "passfile" in str(refused.value.hint)
    assert clean(source, target, bare)


@pytest.mark.since(16, "pg_create_subscription")
def test_a_role_whose_subscription_would_hold_a_password_is_told(chat: Chat) -> None:
    _, target, declared = chat
    role = f"plain_{declared.slot[-8:]}"
    with psycopg.connect(target, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"CREATE ROLE {role} LOGIN IN ROLE pg_create_subscription")
        connection.execute(f"GRANT CREATE ON DATABASE {name} TO {role}")
        try:
            with open_pair(declared) as pair:
                pair.target.connection.execute(f"SET SESSION AUTHORIZATION {role}")
                with pytest.raises(NovaopsError, match="must hold a password"):
                    subscription.create(pair, declared, copy=False)
        finally:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
