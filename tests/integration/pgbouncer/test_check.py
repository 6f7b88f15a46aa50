"""What a check finds, each by making it so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.pgbouncer import installation
from novaops.pgbouncer.check import Finding, Report
from novaops.pgbouncer.userlist import Userlist, read_userlist
from tests.pooler import PoolerForTest

Agents = Callable[..., str]


@pytest.fixture
def agent(pooler: PoolerForTest, new_agent: Agents) -> str:
    agent = new_agent()
    pooler.add(agent)
    return agent


def codes(report: Report) -> list[str]:
    return sorted({f.code for f in report.findings})


def the(report: Report, code: str) -> Finding:
    return next(f for f in report.findings if f.code == code)


def test_as_declared(pooler: PoolerForTest, agent: str) -> None:
    report = pooler.aliases().check()
    assert report.findings == ()
    assert report.looked_at == ("files", "pooler", "servers")
    assert not report.failed(strict=True)


def test_every_finding_says_what_to_do(pooler: PoolerForTest, agent: str) -> None:
    pooler.write(
        pooler.ini.read_text()
        .replace("[pgbouncer]", "a = user=nova host=h\na = host=h\n* = host=h\n[pgbouncer]")
        .replace("pool_size=3", "pool_size=4"),
        pooler.userlist.read_text() + '"empty" ""\n"empty" ""\n',
    )
    pooler.userlist.chmod(0o644)
    report = pooler.aliases().check()
    assert codes(report) == [
        "duplicate-entry", "duplicate-user", "empty-password", "everything", "file-differs", "served-differs",
        "world-readable",
    ]  # fmt: skip
    assert report.failed()
    assert all(f.hint and f.message for f in report.findings)
    assert the(report, "everything").severity == "warning"
    assert "pgbouncer takes the last" in the(report, "duplicate-entry").message


def test_a_forced_user(pooler: PoolerForTest, agent: str) -> None:
    pooler.write(pooler.ini.read_text().replace("[pgbouncer]", "forced = user=nova host=h\n[pgbouncer]"))
    pooler.console("RELOAD")
    report = pooler.aliases().check()
    assert codes(report) == ["forced-user"]
    assert not report.failed()
    assert report.failed(strict=True)
    pooler.write(pooler.ini.read_text().replace("user=nova ", ""))
    pooler.console("RELOAD")
    (left,) = [m for m in pooler.aliases().check().findings if m.subject == "forced"] or [None]
    assert left is None  # only aliases of novaops are compared in full


def test_declared_and_not_written_and_the_other_way_round(
    pooler: PoolerForTest, agent: str, new_agent: Agents
) -> None:
    text = pooler.toml.read_text()
    pooler.toml.write_text(text.replace(f'"{agent}_memory"', '"other_memory"'))
    report = pooler.aliases().check()
    assert codes(report) == ["not-declared", "not-in-file"]
    pooler.toml.write_text(text.partition("[[alias]]")[0])
    assert codes(pooler.aliases().check()) == ["not-declared", "user-not-declared"]


def test_roles(pooler: PoolerForTest, agent: str) -> None:
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {agent} NOLOGIN SUPERUSER VALID UNTIL '2001-01-01'")
        assert codes(pooler.aliases().check()) == ["role-expired", "role-nologin", "role-superuser"]
        connection.execute(f"ALTER ROLE {agent} LOGIN NOSUPERUSER VALID UNTIL 'infinity' PASSWORD NULL")
        assert codes(pooler.aliases().check()) == ["role-no-password"]
        pooler.console("RECONNECT")
        connection.execute(f"DROP ROLE {agent}")
        assert codes(pooler.aliases().check()) == ["role-missing"]


def test_a_database_that_appears_behind_an_alias(pooler: PoolerForTest, agent: str) -> None:
    name = f"{agent}_memory"
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            assert codes(pooler.aliases().check()) == ["hides-database"]
            # The alias of a replica: its users would write to the source.
            with psycopg.connect(pooler.url, dbname=name, autocommit=True) as inside:
                inside.execute(
                    "CREATE SUBSCRIPTION from_source CONNECTION 'host=nowhere.invalid' PUBLICATION p "
                    "WITH (connect = false)"
                )
                report = pooler.aliases().check()
                assert codes(report) == ["hides-replica"]
                assert "from_source" in report.findings[0].message
                inside.execute("ALTER SUBSCRIPTION from_source SET (slot_name = NONE)")
                inside.execute("DROP SUBSCRIPTION from_source")
        finally:
            connection.execute(f"DROP DATABASE {name}")


def test_the_budget(pooler: PoolerForTest, agent: str) -> None:
    text = pooler.toml.read_text()
    pooler.toml.write_text(text + "pool_size = 5000\n")
    pooler.aliases().apply()
    report = pooler.aliases().check()
    assert codes(report) == ["connections"]
    assert "5004 connections" in the(report, "connections").message  # theirs: two users with a pool of 2


def test_what_cannot_be_asked_is_a_finding(pooler: PoolerForTest, agent: str) -> None:
    pooler.toml.write_text(
        pooler.toml.read_text().replace("[[alias]]", 'console_user = "stranger"\n[[alias]]')
    )
    assert codes(pooler.aliases().check()) == ["no-console"]
    pooler.stop()
    assert codes(pooler.aliases().check()) == ["not-running"]
    report = pooler.aliases().check(pooler=False)
    assert (codes(report), report.left_out) == ([], ("pooler",))
    pooler.toml.write_text(pooler.toml.read_text().replace("port = ", "port = 1 # "))
    assert codes(pooler.aliases().check(pooler=False)) == ["file-differs", "server-unknown"]


def test_a_pooler_that_differs_from_its_files(pooler: PoolerForTest, agent: str) -> None:
    pooler.console(f"DISABLE {agent}_memory")
    assert codes(pooler.aliases().check()) == ["served-differs"]
    pooler.aliases().apply()
    assert codes(pooler.aliases().check()) == []
    pooler.write(
        pooler.ini.read_text().replace(
            f"listen_port = {pooler.port}", f"listen_port = {pooler.port}\nlisten_backlog = 5"
        )
    )
    (finding,) = pooler.aliases().check().findings
    assert (finding.code, finding.severity) == ("needs-restart", "warning")
    assert finding.subject == "listen_backlog"


def test_transaction_pooling_comes_with_a_warning(pooler: PoolerForTest, agent: str) -> None:
    pooler.toml.write_text(pooler.toml.read_text() + 'pool_mode = "transaction"\n')
    pooler.aliases().apply()
    report = pooler.aliases().check()
    assert codes(report) == ["pool-mode"]
    (probe,) = pooler.aliases().test([agent], f"{agent}-password")
    assert probe.good
    assert [f.what for f in probe.findings if f.good is None] == ["notify"]
    # The login has left nothing behind on the server connection, which is the next one's.
    with pooler.login(f"{agent}_memory", agent) as connection:
        assert connection.execute("SELECT count(*) FROM pg_listening_channels()").fetchone() == (0,)


def test_another_pool_mode_than_declared_is_noticed_by_a_login(pooler: PoolerForTest, agent: str) -> None:
    pooler.write(pooler.ini.read_text().replace("pool_mode=session", "pool_mode=transaction"))
    pooler.console("RELOAD")
    (probe,) = pooler.aliases().test([agent], f"{agent}-password")
    assert [f.text for f in probe.findings if f.good is False] == [
        "transaction pooling, and session pooling is declared"
    ]


def test_a_login_that_leads_elsewhere_is_told(
    pooler: PoolerForTest, agent: str, new_database: Callable[..., str]
) -> None:
    other = new_database("other").rpartition("/")[2].partition("?")[0]
    pooler.write(pooler.ini.read_text().replace(f"dbname={pooler.base['dbname']}", f"dbname={other}"))
    pooler.console("RELOAD")
    (probe,) = pooler.aliases().test([agent], f"{agent}-password")
    assert not probe.good
    assert {f.what for f in probe.findings if f.good is False} == {"database", "notify"}


def test_reload_finds_what_is_not_served(pooler: PoolerForTest, agent: str) -> None:
    assert pooler.aliases().reload().applied.served == 2
    pooler.write(pooler.ini.read_text() + "no_such_setting = 1\n")
    with pytest.raises(NovaopsError, match="has not taken the files over"):
        pooler.aliases().reload()


def test_explain(pooler: PoolerForTest, agent: str) -> None:
    facts = dict(pooler.aliases().explain(agent).facts)
    assert facts["who"] == f"the role {agent}"
    assert facts["how"] == f"psql -h 127.0.0.1 -p {pooler.port} -d {agent}_memory -U {agent}"
    assert facts["served"].startswith("yes")
    assert facts["secret"].startswith("SCRAM-SHA-256$… in ")
    assert "SCRAM-SHA-256$4096" not in str(facts)


def test_propose(pooler: PoolerForTest, agent: str, new_agent: Agents) -> None:
    other = new_agent("quill")
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE agents (name text, unix_user text, persistent boolean, context_type text)"
        )
        connection.execute(
            "INSERT INTO agents VALUES ('Argus', %s, false, 'ephemeral'), ('Quill', %s, true, 'persistent'), "
            "('Scout', NULL, true, 'ephemeral'), ('Nova', 'no_such_role', true, NULL)",
            [agent, other],
        )
    found = {p.agent: p for p in pooler.aliases().propose()}
    assert {name: p.operation for name, p in found.items()} == {
        "Argus": "remove",
        "Quill": "add",
        "Nova": "add",
    }
    assert found["Quill"].command[:4] == ("novaops", "alias", "add", other)
    assert "--create-role" in found["Nova"].command
    assert "--create-role" not in found["Quill"].command


def test_propose_without_a_table_says_so(pooler: PoolerForTest) -> None:
    with pytest.raises(NovaopsError, match="has no table agents"):
        pooler.aliases().propose()


def test_each_file_is_parsed_once_for_all_aliases(
    pooler: PoolerForTest, new_agent: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = [new_agent() for _ in range(3)]
    parsed: list[Path] = []

    def counting(path: Path, text: str) -> Userlist:
        parsed.append(path)
        return read_userlist(path, text)

    pooler.add(agents[0])
    monkeypatch.setattr(installation, "read_userlist", counting)
    assert pooler.aliases().check().findings == ()
    for_one = len(parsed)
    for agent in agents[1:]:
        pooler.add(agent)
    parsed.clear()
    assert pooler.aliases().check().findings == ()
    assert len(parsed) == for_one == 1
