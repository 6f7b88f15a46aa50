"""An alias is added: agents get in, those who are in stay, nothing else is touched."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError, UsageError
from novaops.pgbouncer.render import outside
from tests.pooler import USERLIST, PoolerForTest

Agents = Callable[..., str]


def test_psql_gets_in_by_scram(pooler: PoolerForTest, new_agent: Agents, psql: Callable[..., str]) -> None:
    agent = new_agent()
    outcome = pooler.add(agent, rationale="Security agent")
    assert outcome.declared == "added"
    assert outcome.applied.reloaded == "RELOAD"
    assert outcome.applied.served == 2
    (probe,) = outcome.probes
    assert probe.good
    assert {f.what: f.good for f in probe.findings} == dict.fromkeys(
        ["database", "user", "server", "pool mode", "notify"], True
    )
    shown = psql(
        pooler.client_url(f"{agent}_memory", agent), "-Atc", "SELECT current_database(), current_user"
    )
    assert shown.strip() == f"{pooler.base['dbname']}|{agent}"
    with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|SASL"):
        pooler.login(f"{agent}_memory", agent, "wrong").close()


def test_the_password_is_nowhere(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    outcome = pooler.add(agent)
    everything = (
        repr(outcome) + pooler.toml.read_text() + pooler.ini.read_text() + pooler.userlist.read_text()
    )
    assert f"{agent}-password" not in everything
    verifier = pooler.userlist.read_text().split(f'"{agent}" ')[1].split('"')[1]
    assert verifier.startswith("SCRAM-SHA-256$")
    assert verifier not in repr(outcome)


def test_a_connected_agent_is_not_disturbed(pooler: PoolerForTest, new_agent: Agents) -> None:
    first, second = new_agent(), new_agent("quill")
    pooler.add(first)
    with pooler.login(f"{first}_memory", first) as connection:
        connection.execute("LISTEN news")
        connection.execute("SET application_name = 'still here'")
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        pooler.add(second)
        with pooler.login(f"{second}_memory", second) as other:
            other.execute("NOTIFY news, 'hello'")
        (heard,) = connection.notifies(timeout=10, stop_after=1)
        assert heard.payload == "hello"
        assert connection.execute("SHOW application_name").fetchone() == ("still here",)
        assert connection.execute("SELECT pg_backend_pid()").fetchone() == backend


def test_adding_again_changes_nothing(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent)
    files = (pooler.ini, pooler.userlist, pooler.toml)
    before = [(f.stat().st_mtime_ns, f.stat().st_ino, f.read_bytes()) for f in files]
    outcome = pooler.add(agent)
    assert outcome.nothing_to_do
    assert outcome.probes[0].good
    assert [(f.stat().st_mtime_ns, f.stat().st_ino, f.read_bytes()) for f in files] == before


def test_what_people_wrote_stays(pooler: PoolerForTest, new_agent: Agents, tmp_path: Path) -> None:
    """200 lines with comments, an include, odd spaces and [users], byte for byte."""
    extra = pooler.folder / "more.ini"
    extra.write_text("included = host=127.0.0.1\n")
    pooler.give(extra)
    text = pooler.ini.read_bytes()
    body = b"".join(b"; line %d of a long story \t \r\n#   and # more ; of it\n\n" % n for n in range(70))
    head, tail = text.split(b"[pgbouncer]\n")
    text = (
        body + head + b"\todd\t=  host=127.0.0.1  port=5432   dbname='it''s # odd'\n%include " + bytes(extra)
        + b"\n\n[users]\n  someone = pool_mode=transaction   max_user_connections=3\n[pgbouncer]\n" + tail + b"; the end"
    )  # fmt: skip
    assert text.count(b"\n") > 200
    pooler.ini.write_bytes(text)
    users = b'; \xff is no UTF-8\n"someone"   "a ""secret"" of theirs" trailing\n' + USERLIST.encode().rstrip(
        b"\n"
    )
    pooler.userlist.write_bytes(users)
    pooler.console("RELOAD")
    agents = [new_agent() for _ in range(2)]
    for agent in agents:
        pooler.add(agent)
    assert outside(pooler.ini.read_bytes().decode()).encode() == text
    assert pooler.served() == {"theirs", "odd", "included", *(f"{a}_memory" for a in agents)}
    assert all(pooler.works(f"{a}_memory", a) for a in agents)
    for agent in agents:
        pooler.aliases().remove(agent)
    assert pooler.ini.read_bytes() == text
    assert pooler.userlist.read_bytes() == users
    assert pooler.served() == {"theirs", "odd", "included"}


def test_owner_group_and_mode_are_kept(pooler: PoolerForTest, new_agent: Agents) -> None:
    before = [(p.stat().st_uid, p.stat().st_gid) for p in (pooler.ini, pooler.userlist)]
    pooler.userlist.chmod(0o644)
    agent = new_agent()
    pooler.add(agent)
    assert [(p.stat().st_uid, p.stat().st_gid) for p in (pooler.ini, pooler.userlist)] == before
    assert stat.S_IMODE(pooler.ini.stat().st_mode) == 0o640
    assert stat.S_IMODE(pooler.userlist.stat().st_mode) == 0o640  # no longer for everybody to read
    kept = pooler.userlist.with_name("userlist.txt.novaops-backup")
    assert kept.read_text() == USERLIST
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert not [p for p in pooler.folder.iterdir() if p.name.endswith("-new")]


def test_a_link_stays_a_link(pooler: PoolerForTest, new_agent: Agents) -> None:
    other = pooler.folder / "real.txt"
    pooler.userlist.rename(other)
    pooler.userlist.symlink_to(other)
    agent = new_agent()
    pooler.add(agent)
    assert pooler.userlist.is_symlink()
    assert agent in other.read_text()
    assert pooler.works(f"{agent}_memory", agent)


def test_a_wrong_password_is_found_before_anything_is_written(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    agent = new_agent()
    before = pooler.toml.read_text()
    with pytest.raises(NovaopsError, match="not that of the role"):
        pooler.add(agent, password="wrong")
    assert pooler.toml.read_text() == before
    assert pooler.userlist.read_text() == USERLIST


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ("CREATE ROLE {} NOLOGIN PASSWORD 'x'", "NOLOGIN"),
        ("CREATE ROLE {} LOGIN", "no password"),
        ("CREATE ROLE {} LOGIN PASSWORD 'x' VALID UNTIL '2001-01-01'", "no longer valid"),
        ("CREATE ROLE {} LOGIN PASSWORD 'md500000000000000000000000000000000'", "md5"),
        (None, "has no role"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_roles_that_could_not_log_in_are_refused(
    pooler: PoolerForTest, server_url: str, setup: str | None, message: str
) -> None:
    name = f"bad_{os.urandom(4).hex()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        if setup:
            connection.execute(setup.format(name))
        try:
            with pytest.raises(NovaopsError, match=message):
                pooler.add(name, password=None)
        finally:
            connection.execute(f"DROP ROLE IF EXISTS {name}")
    assert "[[alias]]" not in pooler.toml.read_text()
    assert pooler.userlist.read_text() == USERLIST


def test_an_alias_that_hides_a_database_is_refused(
    pooler: PoolerForTest, new_agent: Agents, new_database: Callable[..., str]
) -> None:
    real = new_database("real").rpartition("/")[2].partition("?")[0]
    agent = new_agent()
    with pytest.raises(NovaopsError, match="has a database"):
        pooler.add(agent, name=real)
    pooler.add(agent, name=real, shadow=True)
    assert pooler.works(real, agent)


def test_the_name_of_the_target_itself_is_fine(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent("nova")
    pooler.add(agent, name=pooler.base["dbname"])
    assert pooler.works(pooler.base["dbname"], agent)


def test_a_line_written_by_hand_is_taken_over_only_when_asked(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    agent = new_agent()
    text = pooler.ini.read_text()
    theirs = text.replace("[pgbouncer]", f"{agent}_memory = host=10.0.0.1 password='x y'\n[pgbouncer]")
    pooler.write(theirs)
    with pytest.raises(NovaopsError, match="written by hand") as refused:
        pooler.add(agent)
    assert "--take-over" in (refused.value.hint or "")
    assert pooler.ini.read_text() == theirs
    outcome = pooler.add(agent, take_over=True)
    assert "x y" not in repr(outcome)
    assert outside(pooler.ini.read_text()) == text
    assert pooler.works(f"{agent}_memory", agent)


def test_an_entry_of_an_included_file_is_left_to_people(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    extra = pooler.folder / "more.ini"
    extra.write_text(f"{agent}_memory = host=10.0.0.1\n")
    pooler.give(extra)
    pooler.write(pooler.ini.read_text().replace("[pgbouncer]", f"%include {extra}\n[pgbouncer]"))
    for take_over in (False, True):
        with pytest.raises(NovaopsError, match=r"more.ini:1, written by hand") as refused:
            pooler.add(agent, take_over=take_over)
        assert "remove it there" in (refused.value.hint or "")
    assert extra.read_text() == f"{agent}_memory = host=10.0.0.1\n"


def test_an_empty_password_by_hand_is_overridden_and_named(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.userlist.write_text(f'"{agent}" ""\n{USERLIST}')
    outcome = pooler.add(agent)
    assert any("an empty password" in note for note in outcome.applied.notes)
    assert pooler.works(f"{agent}_memory", agent)


def test_a_right_secret_by_hand_is_used(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    text = f'"{agent}" "{agent}-password"\n{USERLIST}'
    pooler.userlist.write_text(text)
    pooler.console("RELOAD")
    pooler.add(agent)
    assert pooler.userlist.read_text() == text
    assert pooler.works(f"{agent}_memory", agent)


def test_a_userlist_that_pgbouncer_stops_in_is_refused_with_its_line(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    agent = new_agent()
    pooler.userlist.write_text(f"{USERLIST}# a comment, they thought\n")
    with pytest.raises(NovaopsError, match=r"userlist.txt:3: # starts no comment here"):
        pooler.add(agent)
    assert "[[alias]]" not in pooler.toml.read_text()


def test_a_fresh_installation_is_written_whole_and_starts(pooler: PoolerForTest, new_agent: Agents) -> None:
    pooler.stop()
    pooler.ini.unlink()
    pooler.userlist.unlink()
    with pooler.toml.open("a") as file:
        file.write(
            f'\n[pgbouncer.settings]\nlisten_port = {pooler.port}\nunix_socket_dir = "{pooler.folder}"\n'
            f'logfile = "{pooler.folder}/pgbouncer.log"\npidfile = "{pooler.folder}/pgbouncer.pid"\n'
        )
    agent = new_agent()
    outcome = pooler.add(agent, password=None)
    assert any("does not run" in note for note in outcome.applied.notes)
    assert outcome.applied.served is None
    pooler.give(pooler.ini, pooler.userlist)
    pooler.start()
    assert pooler.works(f"{agent}_memory", agent)
    other = new_agent("quill")
    pooler.add(other)
    assert pooler.works(f"{other}_memory", other)
    # What a reload cannot change is named.
    text = pooler.toml.read_text()
    pooler.toml.write_text(
        text.replace(f"listen_port = {pooler.port}", "listen_port = 1\nlisten_backlog = 7")
    )
    outcome = pooler.aliases().apply()
    assert sorted(outcome.applied.restarts) == [
        "listen_backlog is 128 until pgbouncer restarts; the file says 7",
        f"listen_port is {pooler.port} until pgbouncer restarts; the file says 1",
    ]
    assert pooler.works(f"{other}_memory", other)


def test_under_md5_which_is_the_default_of_debian(pooler: PoolerForTest, new_agent: Agents) -> None:
    """auth_type = md5 takes SCRAM verifiers as well: a client is asked for what its secret is."""
    pooler.stop()
    pooler.write(pooler.ini.read_text().replace("auth_type = scram-sha-256", "auth_type = md5"))
    pooler.start()
    agent = new_agent()
    assert pooler.add(agent).probes[0].good
    assert pooler.works(f"{agent}_memory", agent)


def test_two_for_one_password_option(pooler: PoolerForTest, new_agent: Agents) -> None:
    pooler.add(new_agent())
    pooler.add(new_agent())
    with pytest.raises(UsageError):
        pooler.aliases().test((), "one password")


def test_fresh_files_belong_to_the_account_that_owns_the_folder(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    """pgbouncer starts with them: it refuses to run as root, and its account must read both."""
    agent = new_agent()
    pooler.stop()
    settings = {"listen_port": str(pooler.port), "unix_socket_dir": str(pooler.folder)}
    settings |= {name: str(pooler.folder / f"pgbouncer.{name[:3]}") for name in ("logfile", "pidfile")}
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    pooler.toml.write_text(f'[pgbouncer]\nini = "{pooler.ini}"\n[pgbouncer.settings]\n{lines}')
    for path in (pooler.ini, pooler.userlist, pooler.folder / f".s.PGSQL.{pooler.port}"):
        path.unlink(missing_ok=True)
    pooler.add(agent)
    folder = pooler.folder.stat()
    for path in (pooler.ini, pooler.userlist):
        found = path.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (folder.st_uid, folder.st_gid, 0o640)
    pooler.start()
    assert pooler.works(f"{agent}_memory", agent)
