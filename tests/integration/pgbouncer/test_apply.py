"""A change takes effect as a whole or not at all: killed, raced, or refused by the pooler."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.pgbouncer import files, scratch
from novaops.pgbouncer.console import Console, Place
from novaops.pgbouncer.drain import Drain
from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.userlist import read_userlist
from novaops.progress import Silent
from tests.pooler import USERLIST, PoolerForTest, program_or_skip

Agents = Callable[..., str]
ROOT = Path(__file__).parents[3]


class Killer(Silent):
    """Kills the process at the `last`th step; a step is the begin or end of a phase, or a rename."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.count = 0

    def step_done(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def phase(self, text: str) -> Iterator[None]:
        self.step_done()
        yield
        self.step_done()


def in_child(work: Callable[[Killer], object], last: int) -> int:
    """Run it in a process that dies at step `last`; returns the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        killer = Killer(last)
        rename = Path.rename

        def watched(self: Path, target: Path) -> Path:
            killer.step_done()
            done = rename(self, target)
            killer.step_done()
            return done

        Path.rename = watched  # type: ignore[assignment,method-assign]
        try:
            work(killer)
        except BaseException:
            os._exit(99)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def restarted(pooler: PoolerForTest) -> None:
    """As after a crash of the machine: only the files count."""
    pooler.stop()
    (pooler.folder / f".s.PGSQL.{pooler.port}").unlink(missing_ok=True)
    (pooler.folder / "pgbouncer.pid").unlink(missing_ok=True)
    pooler.start()


def consistent(pooler: PoolerForTest) -> bool:
    """Whether every alias in the ini has a user with a secret: what a pgbouncer that started now would serve."""
    ini = read_ini(pooler.ini, pooler.ini.read_text())
    users = read_userlist(pooler.userlist, pooler.userlist.read_text())
    needed = {name.removesuffix("_memory") for name in ini.databases() if name.endswith("_memory")}
    return not ini.errors and not users.problems and needed <= set(users.secrets())


def test_killed_anywhere_while_adding(pooler: PoolerForTest, new_agent: Agents) -> None:
    old, new = new_agent("old"), new_agent("new")
    pooler.add(old)
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    steps = 0
    for step in range(1, 200):
        if not in_child(lambda killer: pooler.add(new, killer), step):
            break
        steps += 1
        # What runs works; what would run after a crash works; and neither is something in between.
        assert consistent(pooler), step
        assert pooler.works(f"{old}_memory", old), step
        served = f"{new}_memory" in pooler.served()
        assert pooler.works(f"{new}_memory", new) == served, step
        written = f"{new}_memory =" in pooler.ini.read_text()
        if step % 4 == 0:
            restarted(pooler)
            assert pooler.works(f"{old}_memory", old), step
            assert pooler.works(f"{new}_memory", new) == written, step
        # The next run goes on from there.
        pooler.add(new)
        assert pooler.works(f"{new}_memory", new), step
        assert not list(pooler.folder.glob(".*novaops-*")), step
        for path, data in zip((pooler.ini, pooler.userlist, pooler.toml), before, strict=True):
            path.write_bytes(data)
        pooler.console("RELOAD")
    assert steps > 20
    assert pooler.works(f"{new}_memory", new)


def test_killed_anywhere_while_removing(pooler: PoolerForTest, new_agent: Agents) -> None:
    stays, goes = new_agent("stays"), new_agent("goes")
    pooler.add(stays)
    pooler.add(goes)
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    steps = 0
    for step in range(1, 200):
        if not in_child(lambda killer: pooler.aliases(killer).remove(goes), step):
            break
        steps += 1
        assert consistent(pooler), step
        assert pooler.works(f"{stays}_memory", stays), step
        if step % 4 == 0:
            # Whoever is in the ini has a password in the userlist.
            restarted(pooler)
            written = f"{goes}_memory =" in pooler.ini.read_text()
            assert pooler.works(f"{goes}_memory", goes) == written, step
        pooler.aliases().apply()
        declared = goes in pooler.toml.read_text()
        assert pooler.works(f"{goes}_memory", goes) == declared, step
        for path, data in zip((pooler.ini, pooler.userlist, pooler.toml), before, strict=True):
            path.write_bytes(data)
        pooler.console("RELOAD")
    assert steps > 15
    assert pooler.served() == {"theirs", f"{stays}_memory"}


def test_killed_anywhere_while_rotating(pooler: PoolerForTest, new_agent: Agents) -> None:
    """Server and pooler cannot change in one step; the next run brings them together, on the old or the new."""
    agent = new_agent()
    pooler.add(agent)
    name, password, steps = f"{agent}_memory", f"{agent}-password", 0
    with pooler.login(name, agent) as connected:
        for step in range(1, 200):
            new = f"password {step}"
            if not in_child(lambda killer, new=new: pooler.aliases(killer).rotate(agent, new, None), step):
                break
            steps += 1
            assert connected.execute("SELECT 1").fetchone() == (1,)
            told = {f.code for f in pooler.aliases().check().findings}
            if not [p for p in (password, new) if logs_in(pooler, name, agent, p)]:
                assert told & {"cut-off", "verifier-differs"}, step
            pooler.aliases().apply()
            assert pooler.aliases().check().findings == (), step
            pooler.console("RECONNECT")
            works = [p for p in (password, new) if logs_in(pooler, name, agent, p)]
            assert len(works) == 1, (step, works)
            (password,) = works
    assert steps > 10
    assert logs_in(pooler, name, agent, new)


def logs_in(pooler: PoolerForTest, alias: str, user: str, password: str) -> bool:
    try:
        with pooler.login(alias, user, password) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


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


def test_an_interruption_takes_it_back(pooler: PoolerForTest, new_agent: Agents) -> None:
    class Interrupts(Silent):
        @contextmanager
        def phase(self, text: str) -> Iterator[None]:
            yield
            if text.startswith("telling pgbouncer"):
                raise KeyboardInterrupt

    agent = new_agent()
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    with pytest.raises(KeyboardInterrupt):
        pooler.add(agent, Interrupts())
    assert (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes()) == before
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


def test_another_alias_is_never_removed_by_the_way(pooler: PoolerForTest, new_agent: Agents) -> None:
    first, second = new_agent(), new_agent()
    pooler.add(first)
    pooler.toml.write_text(pooler.toml.read_text().partition("[[alias]]")[0])
    with pytest.raises(NovaopsError, match="would be removed") as refused:
        pooler.add(second)
    assert "novaops alias apply" in (refused.value.hint or "")
    assert pooler.works(f"{first}_memory", first)
    outcome = pooler.aliases().apply()
    assert [c.operation for c in outcome.applied.changes] == ["-", "-"]
    assert pooler.served() == {"theirs"}


def test_removal_waits_for_clients(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent)
    name = f"{agent}_memory"
    with pooler.login(name, agent):
        with pytest.raises(NovaopsError, match="1 client still connected") as refused:
            pooler.aliases().remove(agent, drain=Drain(0.3))
        assert refused.value.exit_code == 4
        assert agent in (refused.value.detail or "")
        assert agent in pooler.toml.read_text()
        assert pooler.works(name, agent)  # it takes clients again
    connection = pooler.login(name, agent)
    done = threading.Thread(target=lambda: pooler.aliases().remove(agent, drain=Drain(30)))
    done.start()
    while not any(r["name"] == name and r["disabled"] == "1" for r in pooler.console("SHOW DATABASES")):
        pass
    with pytest.raises(psycopg.OperationalError, match=r"does not allow connections|disabled"):
        pooler.login(name, agent).close()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    done.join()
    assert pooler.served() == {"theirs"}
    assert agent not in pooler.toml.read_text()
    assert pooler.userlist.read_text() == USERLIST


def test_force_cuts_clients_off(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent)
    with pooler.login(f"{agent}_memory", agent) as connection:
        pooler.aliases().remove(agent, drain=Drain(0.2, force=True))
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert pooler.served() == {"theirs"}


def test_an_edit_while_waiting_is_not_overwritten(pooler: PoolerForTest, new_agent: Agents) -> None:
    """Somebody edits novaops.toml while a removal waits for clients, and the removal gives up."""
    agent = new_agent()
    pooler.add(agent)

    class Edits(Silent):
        def waiting(self, text: str) -> None:
            pooler.toml.write_text(pooler.toml.read_text() + "# edited\n")

    with pooler.login(f"{agent}_memory", agent), pytest.raises(NovaopsError, match="still connected"):
        pooler.aliases(Edits()).remove(agent, drain=Drain(0.5))
    assert pooler.toml.read_text().endswith("# edited\n")


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


def test_another_file_than_the_one_that_is_served(pooler: PoolerForTest, new_agent: Agents) -> None:
    other = pooler.folder / "other.ini"
    other.write_text(pooler.ini.read_text())
    pooler.give(other)
    pooler.toml.write_text(pooler.toml.read_text().replace(str(pooler.ini), str(other)))
    with pytest.raises(NovaopsError, match="the running pgbouncer reads"):
        pooler.add(new_agent())


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


def test_a_scratch_pgbouncer_does_not_outlive_a_killed_run(pooler: PoolerForTest) -> None:
    """Neither the process nor the folder with its secrets; others may be at work in folders of theirs."""
    program, mark = program_or_skip(), f"mark {pooler.port}"

    def killed(place: Place) -> Console:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError(place)

    def work(killer: Killer) -> None:
        Console.open = killed  # type: ignore[method-assign,assignment]
        scratch.try_out(program, "[databases]\n", f'"{mark}" "x"')

    def left() -> list[Path]:
        folders = Path(tempfile.gettempdir()).glob(f"{scratch.PREFIX}*")
        return [f for f in folders if mark in (f / "userlist.txt").read_text()]

    assert in_child(work, 0) == signal.SIGKILL
    (folder,) = left()
    scratch.try_out(program, "[databases]\n", "")
    assert not folder.exists()
    deadline = time.monotonic() + 20
    while any(folder.name in text for text in commands()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def commands() -> list[str]:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return found
