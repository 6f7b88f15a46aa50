"""Passwords: rotated, asked by auth_query, or given where no verifier can be read."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from novaops.db.embedded import EmbeddedServer
from novaops.errors import NovaopsError, UsageError
from novaops.pgbouncer.aliases import Aliases
from novaops.pgbouncer.groundwork import one_verifier
from novaops.pgbouncer.inventory import Alias, Target
from novaops.pgbouncer.new_alias import new_alias
from novaops.pgbouncer.secrets import AS_GIVEN
from novaops.pgbouncer.server import Server
from tests.conftest import folder_for_server
from tests.pooler import USERLIST, PoolerForTest

Agents = Callable[..., str]


def verifier(pooler: PoolerForTest, role: str) -> str:
    with psycopg.connect(pooler.url) as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]).fetchone()
    assert row is not None
    return str(row[0])


def test_rotate(pooler: PoolerForTest, new_agent: Agents, tmp_path: Path) -> None:
    agent = new_agent()
    pooler.add(agent)
    before = verifier(pooler, agent)
    with pooler.login(f"{agent}_memory", agent) as connected:
        backend = connected.execute("SELECT pg_backend_pid()").fetchone()
        outcome = pooler.aliases().rotate(agent, None, tmp_path / "secret")
        assert connected.execute("SELECT pg_backend_pid()").fetchone() == backend
    assert outcome.probes[0].good
    password = (tmp_path / "secret").read_text().strip()
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert password not in repr(outcome) + pooler.userlist.read_text()
    assert verifier(pooler, agent) != before
    assert verifier(pooler, agent) in pooler.userlist.read_text()
    with pooler.login(f"{agent}_memory", agent, password) as connection:
        assert connection.execute("SELECT current_user::text").fetchone() == (agent,)
    with pytest.raises(psycopg.OperationalError, match=r"password|SASL"):
        pooler.login(f"{agent}_memory", agent).close()
    with pytest.raises(UsageError, match="exists already"):
        pooler.aliases().rotate(agent, None, tmp_path / "secret")


def test_a_rotation_that_fails_leaves_the_old_password(
    pooler: PoolerForTest, new_agent: Agents, tmp_path: Path
) -> None:
    """A login of the agent fails for another reason: verifier and file are byte for byte what they were."""
    agent = new_agent()
    pooler.add(agent)
    before = (verifier(pooler, agent), pooler.userlist.read_bytes())
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f'REVOKE CONNECT ON DATABASE "{pooler.base["dbname"]}" FROM PUBLIC')
        pooler.console("RECONNECT")
        with pytest.raises(NovaopsError, match="does not do what it should"):
            pooler.aliases().rotate(agent, "another password", None)
        with pytest.raises(NovaopsError, match="does not do what it should"):
            pooler.aliases().rotate(agent, None, tmp_path / "secret")
        connection.execute(f'GRANT CONNECT ON DATABASE "{pooler.base["dbname"]}" TO PUBLIC')
    assert (verifier(pooler, agent), pooler.userlist.read_bytes()) == before
    assert not (tmp_path / "secret").exists()
    assert pooler.works(f"{agent}_memory", agent)


def test_a_verifier_that_was_changed_on_the_server_is_found_and_read_again(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    agent = new_agent()
    pooler.add(agent)
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {agent} PASSWORD '{agent}-password'")  # the same: another verifier
    codes = [f.code for f in pooler.aliases().check().findings]
    assert codes == ["verifier-differs"]
    (change,) = pooler.aliases().apply().applied.changes
    assert change.operation == "~"
    assert pooler.aliases().check().findings == ()
    assert pooler.works(f"{agent}_memory", agent)


def test_a_role_is_made_with_the_password(pooler: PoolerForTest, server_url: str) -> None:
    name = f"{pooler.base['dbname']}_new"
    try:
        pooler.add(name, create_role=True)
        assert pooler.works(f"{name}_memory", name)
        assert verifier(pooler, name).startswith("SCRAM-SHA-256$")
    finally:
        pooler.stop()
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP ROLE IF EXISTS "{name}"')


@pytest.fixture
def plain_login(pooler: PoolerForTest, new_agent: Agents) -> dict[str, str]:
    """A login to the server that may not read verifiers."""
    name = new_agent("plain")
    return {**pooler.base, "user": name, "password": f"{name}-password"}


def test_without_a_superuser_the_password_has_to_be_given(
    pooler: PoolerForTest, new_agent: Agents, plain_login: dict[str, str]
) -> None:
    agent = new_agent()
    aliases = Aliases(plain_login, path=pooler.toml)
    alias = new_alias(aliases.inventory(), agent)
    with pytest.raises(NovaopsError, match="no secret of") as refused:
        aliases.add(alias)
    assert "--password-stdin" in (refused.value.hint or "")
    assert "[[alias]]" not in pooler.toml.read_text()
    outcome = aliases.add(alias, password=f"{agent}-password")
    assert AS_GIVEN in outcome.applied.changes[-1].text
    assert f"{agent}-password" not in repr(outcome)
    assert pooler.works(f"{agent}_memory", agent)
    assert aliases.add(alias).nothing_to_do  # and it is kept
    with pytest.raises(NovaopsError, match="may not read and change"):
        aliases.rotate(agent, "x", None)


@pytest.fixture
def auth(pooler: PoolerForTest, server_url: str) -> Iterator[str]:
    """The name of an auth user that does not exist yet, in novaops.toml."""
    name = f"auth_{pooler.base['dbname']}"
    pooler.toml.write_text(pooler.toml.read_text() + f'auth = "auth_query"\nauth_user = "{name}"\n')
    yield name
    pooler.stop()
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).rowcount:
            connection.execute(f'DROP OWNED BY "{name}"')
            connection.execute(f'DROP ROLE "{name}"')


def test_auth_query(pooler: PoolerForTest, new_agent: Agents, auth: str) -> None:
    """Secrets stay on the server: userlist.txt holds the auth user alone, which novaops makes."""
    agent = new_agent()
    text = pooler.ini.read_text()
    outcome = pooler.add(agent)
    assert outcome.probes[0].good
    assert agent not in pooler.userlist.read_text()
    password = pooler.userlist.read_text().split(f'"{auth}" "')[1].split('"')[0]
    assert password not in repr(outcome)
    assert f"auth_user={auth}" in pooler.ini.read_text()
    assert pooler.works(f"{agent}_memory", agent)
    assert pooler.aliases().check().findings == ()
    assert pooler.add(agent).nothing_to_do
    # A changed password needs no change of the files.
    pooler.aliases().rotate(agent, "another", None)
    with pooler.login(f"{agent}_memory", agent, "another") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    pooler.aliases().remove(agent)
    assert (pooler.ini.read_text(), pooler.userlist.read_text()) == (text, USERLIST)


def test_the_auth_user_heals(pooler: PoolerForTest, new_agent: Agents, auth: str) -> None:
    """A run was cut off after it had made the role: the next one gives it another password."""
    agent = new_agent()
    pooler.add(agent)
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {auth} PASSWORD 'lost'")
        assert [f.code for f in pooler.aliases().check().findings] == ["verifier-differs"]
        pooler.aliases().apply()
        assert pooler.aliases().check().findings == ()
        # Not ours: left alone.
        connection.execute(
            f"COMMENT ON ROLE {auth} IS 'of the DBA'; ALTER ROLE {auth} PASSWORD 'secret of the DBA'"
        )
        with pytest.raises(NovaopsError, match="is not known") as refused:
            pooler.aliases().apply()
        assert "auth_password_command" in (refused.value.hint or "")
    pooler.toml.write_text(
        pooler.toml.read_text().replace(
            "auth_user =", 'auth_password_command = "echo secret of the DBA"\nauth_user ='
        )
    )
    pooler.aliases().apply()
    assert pooler.aliases().check().findings == ()
    pooler.console("RECONNECT")
    assert pooler.works(f"{agent}_memory", agent)


def test_the_function_for_auth_query_gives_little_away(
    pooler: PoolerForTest, new_agent: Agents, server_url: str
) -> None:
    auth, agent, stranger = new_agent("auth"), new_agent(), new_agent("stranger")
    server = Server(pooler.base)
    assert server.auth_function_state(auth) == "the function novaops.pgbouncer_auth is missing"
    server.install_auth_function(auth)
    assert server.auth_function_state(auth) is None
    query = "SELECT usename::text, passwd FROM novaops.pgbouncer_auth(%s)"
    as_auth = {**pooler.base, "user": auth, "password": f"{auth}-password"}
    with psycopg.connect(**as_auth, autocommit=True) as connection:
        assert connection.execute(query, [agent]).fetchall() == [(agent, verifier(pooler, agent))]
        for change in ("NOLOGIN", "LOGIN SUPERUSER", "NOSUPERUSER REPLICATION", "NOREPLICATION VALID UNTIL '2001-01-01'",
                       "VALID UNTIL 'infinity' PASSWORD NULL"):  # fmt: skip
            server.connection.execute(f"ALTER ROLE {agent} {change}")
            assert connection.execute(query, [agent]).fetchall() == [], change
        assert connection.execute(query, [None]).fetchall() == []
        # Nothing that the caller puts in the way is used.
        connection.execute("CREATE TEMPORARY TABLE pg_authid (rolname text)")
        assert connection.execute(query, [auth]).fetchall() == [(auth, verifier(pooler, auth))]
    with (
        psycopg.connect(**{**as_auth, "user": stranger, "password": f"{stranger}-password"}) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(query, [agent])
    server.connection.execute("GRANT EXECUTE ON FUNCTION novaops.pgbouncer_auth(text) TO PUBLIC")
    assert "everybody may call" in (server.auth_function_state(auth) or "")
    server.install_auth_function(auth)
    assert server.auth_function_state(auth) is None
    server.close()


def test_a_role_that_was_made_goes_with_what_failed(pooler: PoolerForTest, server_url: str) -> None:
    name = f"{pooler.base['dbname']}_new"
    pooler.write(pooler.ini.read_text() + "no_such_setting = 1\n")
    with pytest.raises(NovaopsError, match="does not take the files"):
        pooler.add(name, create_role=True)
    with psycopg.connect(server_url) as connection:
        assert not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).rowcount


def test_one_user_with_two_verifiers_is_refused(
    pooler: PoolerForTest, new_agent: Agents, tmp_path: Path
) -> None:
    """userlist.txt holds one secret of a user; a second server has another verifier of the same password."""
    agent = new_agent()
    pooler.add(agent)
    folder = folder_for_server()
    try:
        with EmbeddedServer(folder / "server", settings={"fsync": "off"}).running() as second:
            url = second.url()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {agent} LOGIN PASSWORD '{agent}-password'")
                port = connection.info.port
            assert port != int(pooler.base["port"])
            other = {**pooler.base, "passfile": str(folder / "server/passfile")}
            servers = {
                ("a", 1, "x"): Server(pooler.base),
                ("b", 2, "x"): Server({**other, "port": str(port), "dbname": "postgres"}),
            }
            both = [Alias("a", agent, Target("x", "a", 1)), Alias("b", agent, Target("x", "b", 2))]
            with pytest.raises(NovaopsError, match="has different verifiers on a:1 and b:2"):
                one_verifier(agent, both, servers)
            one_verifier(agent, both[:1], servers)
            for server in servers.values():
                server.close()
    finally:
        shutil.rmtree(folder)
