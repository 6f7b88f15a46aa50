"""A change takes effect as a whole or not at all: raced, or refused by the pooler."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError, UsageError
from novaops.output.aliases import outcome_lines
from novaops.pgbouncer import files
from tests.pooler import USERLIST, PoolerForTest

Agents = Callable[..., str]
ROOT = Path(__file__).parents[3]


def test_twenty_at_once(pooler: PoolerForTest, new_agent: Agents) -> None:
    agents = [new_agent(f"agent{n}") for n in range(20)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "NOVAOPS"))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "novaops", "alias", "add", agent, "--url", pooler.url, "-q", "--format", "json"],
            cwd=pooler.project, env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for agent in agents
    ]  # fmt: skip
    ended = [(p.communicate(), p.returncode) for p in processes]
    assert [code for _, code in ended] == [0] * 20, [texts for texts, code in ended if code]
    assert {a.user for a in pooler.aliases().inventory().aliases} == set(agents)
    assert pooler.served() == {"theirs", *(f"{a}_memory" for a in agents)}
    assert all(pooler.works(f"{a}_memory", a) for a in agents)
    assert pooler.toml.read_text().startswith("# aliases of the agents\n")


def test_a_login_that_fails_takes_it_back(
    pooler: PoolerForTest, new_agent: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target lets the role in by no means: only a login shows that."""
    agent = new_agent()
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f'REVOKE CONNECT ON DATABASE "{pooler.base["dbname"]}" FROM PUBLIC')
    with pytest.raises(NovaopsError, match="does not do what it should") as failed:
        pooler.add(agent)
    assert "permission denied" in (failed.value.detail or "")
    assert pooler.userlist.read_text() == USERLIST
    assert "[[alias]]" not in pooler.toml.read_text()
    assert pooler.served() == {"theirs"}


def test_a_file_that_pgbouncer_would_refuse_is_not_put_in_place(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    """A setting that only pgbouncer itself knows to be wrong."""
    text = pooler.ini.read_text() + "no_such_setting = 1\n"
    pooler.write(text)
    with pytest.raises(NovaopsError, match="does not take the files") as failed:
        pooler.add(new_agent())
    assert "no_such_setting" in (failed.value.detail or "")
    assert pooler.ini.read_text() == text
    assert "[[alias]]" not in pooler.toml.read_text()


def test_rename(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent, rationale="logs findings")
    outcome = pooler.aliases().rename(agent, f"{agent}_findings")
    assert [c.operation for c in outcome.applied.changes] == ["+", "-"]
    assert pooler.served() == {"theirs", f"{agent}_findings"}
    assert pooler.works(f"{agent}_findings", agent)
    (alias,) = pooler.aliases().inventory().aliases
    assert (alias.name, alias.user, alias.rationale) == (f"{agent}_findings", agent, "logs findings")


def test_a_change_in_novaops_toml_is_applied(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent)
    pooler.toml.write_text(pooler.toml.read_text() + "pool_size = 7\n")
    (change,) = pooler.aliases().apply(dry_run=True).applied.changes
    assert (change.operation, "pool_size=7" in change.text) == ("~", True)
    assert "pool_size=7" not in pooler.ini.read_text()
    pooler.aliases().apply()
    (row,) = [r for r in pooler.console("SHOW DATABASES") if r["name"] == f"{agent}_memory"]
    assert row["pool_size"] == "7"


def test_what_others_have_ordered_or_edited_is_said(pooler: PoolerForTest, new_agent: Agents) -> None:
    first, second = new_agent(), new_agent()
    pooler.add(first)
    pooler.console(f"DISABLE {first}_memory")
    pooler.write(pooler.ini.read_text().replace("[pgbouncer]", "later = host=127.0.0.1\n[pgbouncer]"))
    notes = "\n".join(pooler.add(second).applied.notes)
    assert f"{first}_memory is disabled, as somebody has ordered" in notes
    assert "that takes effect now: later" in notes
    assert not pooler.works(f"{first}_memory", first)
    assert pooler.works(f"{second}_memory", second)
    pooler.aliases().apply()
    assert pooler.works(f"{first}_memory", first)


def test_two_runs_wait_for_each_other(tmp_path: Path) -> None:
    said: list[str] = []
    inside = threading.Event()
    order: list[str] = []

    def first() -> None:
        with files.locked([tmp_path, tmp_path], said.append):
            inside.set()
            order.append("first")

    with files.locked([tmp_path], said.append):
        thread = threading.Thread(target=first)
        thread.start()
        assert not inside.wait(0.2)
        order.append("second")
    thread.join()
    assert order == ["second", "first"]
    with (
        files.locked([tmp_path], said.append),
        pytest.raises(NovaopsError, match="another novaops"),
        files.locked([tmp_path], said.append, seconds=0.1),
    ):
        pass


def test_what_was_done_beside_entries_is_said(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent)
    assert pooler.aliases().apply().nothing_to_do
    pooler.console(f"DISABLE {agent}_memory")
    outcome = pooler.aliases().apply()
    assert outcome.applied.enabled == (f"{agent}_memory",)
    assert not outcome.nothing_to_do
    text = "\n".join(line.plain for line in outcome_lines(outcome, 200))
    assert f"{agent}_memory enabled" in text
    assert "nothing to do" not in text
    pooler.stop()
    pooler.ini.write_text(
        pooler.ini.read_text().replace("; novaops end aliases", "; by hand\n; novaops end aliases")
    )
    rewritten = pooler.aliases().apply()
    assert "nothing to do" not in "\n".join(line.plain for line in outcome_lines(rewritten, 200))


def test_the_hint_for_an_entry_by_hand_can_be_run(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.ini.write_text(pooler.ini.read_text().replace("[databases]\n", "[databases]\nother = dbname=x\n"))
    with pytest.raises(NovaopsError, match="written by hand") as refused:
        pooler.add(agent, name="other")
    assert f"novaops alias add {agent} --alias other --take-over" in (refused.value.hint or "")
    with pytest.raises(UsageError, match="is empty"):
        pooler.add("")
