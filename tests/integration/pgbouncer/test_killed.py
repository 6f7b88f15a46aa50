"""A run that is killed or interrupted leaves the old aliases or the new ones, and the next run goes on from there."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from novaops.pgbouncer import scratch
from novaops.pgbouncer.console import Console, Place
from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.userlist import read_userlist
from novaops.progress import Silent
from tests.pooler import PoolerForTest, program_or_skip

Agents = Callable[..., str]


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
