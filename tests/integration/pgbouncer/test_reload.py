"""The pooler is told of new files by whatever way there is, and one that has not taken them over is found out."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from novaops.errors import NovaopsError
from tests.pooler import PoolerForTest

Agents = Callable[..., str]


def test_a_reload_that_fails_in_silence_is_found_and_taken_back(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    """pgbouncer may not read its file any more: RELOAD says that all is well, and changes nothing (1.18)."""
    old, new = new_agent("old"), new_agent("new")
    pooler.add(old)
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    if os.geteuid() != 0:
        pytest.skip("only root can take a file away from pgbouncer and still write it")
    os.chown(pooler.ini, 0, 0)
    pooler.ini.chmod(0o600)
    with pytest.raises(
        NovaopsError, match="has not taken the files over, though RELOAD reported success"
    ) as failed:
        pooler.add(new)
    assert f"{new}_memory is not served" in (failed.value.detail or "")
    assert (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes()) == before
    pooler.give(pooler.ini)
    assert pooler.works(f"{old}_memory", old)
    pooler.add(new)
    assert pooler.works(f"{new}_memory", new)


def test_a_reload_that_is_half_done_is_found_and_taken_back(pooler: PoolerForTest, new_agent: Agents) -> None:
    """The file ends in an include that pgbouncer may not read: our alias is served, the users are not loaded."""
    if os.geteuid() != 0:
        pytest.skip("only root can read what pgbouncer may not")
    extra = pooler.folder / "extra.ini"
    extra.write_text("; nothing\n")
    pooler.give(extra)
    pooler.write(f"{pooler.ini.read_text()}%include {extra}\n")
    new = new_agent("new")
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    os.chown(extra, 0, 0)
    extra.chmod(0o600)
    with pytest.raises(NovaopsError, match="has not taken the files over"):
        pooler.add(new)
    assert (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes()) == before


def test_by_signal_where_there_is_no_console(
    pooler: PoolerForTest, new_agent: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = pooler.toml.read_text()
    pooler.toml.write_text(text + 'console_user = "nobody_known"\n')
    agent = new_agent()
    outcome = pooler.add(agent)
    assert outcome.applied.reloaded == "SIGHUP"
    assert outcome.applied.served is None
    assert any("could not be asked" in note for note in outcome.applied.notes)
    assert outcome.probes[0].good


def test_by_systemctl(pooler: PoolerForTest, new_agent: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no systemd where tests run: a program of that name does what the unit's ExecReload does."""
    programs = pooler.project / "bin"
    programs.mkdir()
    program = programs / "systemctl"
    program.write_text(
        f'#!/bin/sh\n[ "$*" = "reload pool" ] && kill -HUP "$(cat {pooler.folder}/pgbouncer.pid)"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    pooler.toml.write_text(pooler.toml.read_text() + 'reload = "systemctl"\nservice = "pool"\n')
    agent = new_agent()
    outcome = pooler.add(agent)
    assert (outcome.applied.reloaded, outcome.applied.served) == ("systemctl reload pool", 2)
    assert pooler.works(f"{agent}_memory", agent)
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    program.write_text("#!/bin/sh\necho no such unit >&2; exit 5\n")
    with pytest.raises(NovaopsError, match="systemctl reload pool failed") as failed:
        pooler.add(new_agent())
    assert failed.value.detail == "no such unit"
    assert (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes()) == before


def test_by_a_user_of_the_console(pooler: PoolerForTest, new_agent: Agents) -> None:
    text = pooler.toml.read_text()
    pooler.toml.write_text(
        text
        + 'console_user = "console"\nconsole_password_command = "echo console-password"\nreload = "signal"\n'
    )
    outcome = pooler.add(new_agent())
    assert (outcome.applied.reloaded, outcome.applied.served) == ("SIGHUP", 2)


def test_a_signal_that_comes_to_nothing_is_found_in_the_log(pooler: PoolerForTest, new_agent: Agents) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can take a file away from pgbouncer and still write it")
    pooler.toml.write_text(pooler.toml.read_text() + 'console_user = "nobody_known"\n')
    extra = pooler.folder / "extra.ini"
    extra.write_text("; nothing\n")
    extra.chmod(0o600)
    pooler.write(f"{pooler.ini.read_text()}%include {extra}\n")
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    with pytest.raises(NovaopsError, match="has not taken the files over, though SIGHUP") as failed:
        pooler.add(new_agent(), password=None)
    assert "its log: " in (failed.value.detail or "")
    assert (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes()) == before


def test_another_file_than_the_one_that_is_served(pooler: PoolerForTest, new_agent: Agents) -> None:
    other = pooler.folder / "other.ini"
    other.write_text(pooler.ini.read_text())
    pooler.give(other)
    pooler.toml.write_text(pooler.toml.read_text().replace(str(pooler.ini), str(other)))
    with pytest.raises(NovaopsError, match="the running pgbouncer reads"):
        pooler.add(new_agent())
