"""What people write into the files while a command runs stays, whenever they write it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from novaops.errors import NovaopsError
from novaops.pgbouncer.drain import Drain
from novaops.pgbouncer.files import EditedMeanwhile
from novaops.progress import Silent
from tests.pooler import PoolerForTest

Agents = Callable[..., str]


class Editor(Silent):
    """Edits both files at the `at`th begin or end of a phase, as an editor does: by a write in place."""

    def __init__(self, pooler: PoolerForTest, at: int) -> None:
        self.pooler, self.at, self.count = pooler, at, 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            edit(self.pooler)

    @contextmanager
    def phase(self, text: str) -> Iterator[None]:
        self.step()
        yield
        self.step()


def edit(pooler: PoolerForTest) -> None:
    ini, userlist = pooler.ini.read_text(), pooler.userlist.read_text()
    theirs = next(line for line in ini.splitlines() if line.startswith(" theirs"))
    by_hand = theirs.replace("theirs", "byhand")
    pooler.ini.write_text(ini.replace(theirs, f"{theirs}\n; a remark\n{by_hand}"))
    pooler.userlist.write_text(f'"byhand" "secret"\n{userlist}')


def kept(pooler: PoolerForTest) -> bool:
    ini, userlist = pooler.ini.read_text(), pooler.userlist.read_text()
    return "; a remark" in ini and "byhand" in ini and '"byhand" "secret"' in userlist


@pytest.mark.parametrize("command", ["add", "remove", "rename", "rotate", "apply"])
def test_edits_stay_at_every_step(pooler: PoolerForTest, new_agent: Agents, command: str) -> None:
    agent, other = new_agent(), new_agent()
    pooler.add(agent)
    start = [(path, path.read_bytes()) for path in (pooler.ini, pooler.userlist, pooler.toml)]
    name, password = f"{agent}_memory", f"{agent}-password"
    for at in range(1, 100, 4):
        for path, data in start:
            path.write_bytes(data)
        pooler.aliases().rotate(agent, password, None)
        editor = Editor(pooler, at)
        aliases = pooler.aliases(editor)
        if command == "add":
            pooler.add(other, editor)
        elif command == "remove":
            aliases.remove(agent)
        elif command == "rename":
            aliases.rename(name, "renamed")
        elif command == "rotate":
            aliases.rotate(agent, f"{password} {at}", None)
        else:
            pooler.toml.write_text(pooler.toml.read_text().replace("[[alias]]", "[[alias]]\npool_size = 7"))
            aliases.apply()
        if editor.count < at:
            break
        assert kept(pooler), (command, at)
        pooler.aliases().apply()
        assert "byhand" in pooler.served(), (command, at)
        assert (name in pooler.served()) == (command not in ("remove", "rename")), (command, at)
    assert at > 10


@pytest.mark.parametrize("at", range(1, 40, 6))
def test_a_change_that_fails_takes_no_edit_back(pooler: PoolerForTest, new_agent: Agents, at: int) -> None:
    agent = new_agent()
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(sql.Identifier(agent)))
    editor = Editor(pooler, at)
    with pytest.raises(NovaopsError, match="does not do what it should"):
        pooler.add(agent, editor)
    if editor.count < at:
        edit(pooler)
    assert kept(pooler)
    assert agent not in pooler.ini.read_text() + pooler.userlist.read_text() + pooler.toml.read_text()


def test_somebody_who_does_not_stop_editing_ends_the_command(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    class Restless(Silent):
        @contextmanager
        def phase(self, text: str) -> Iterator[None]:
            pooler.userlist.write_text(pooler.userlist.read_text() + "; one more\n")
            yield

    agent = new_agent()
    with pytest.raises(EditedMeanwhile, match="was edited") as refused:
        pooler.add(agent, Restless())
    assert "novaops alias check" in (refused.value.hint or "")
    assert agent not in pooler.ini.read_text() + pooler.userlist.read_text() + pooler.toml.read_text()
    assert pooler.userlist.read_text().count("one more") > 10


@pytest.mark.parametrize("command", ["rename", "remove", "apply"])
def test_edits_while_clients_are_waited_for(pooler: PoolerForTest, new_agent: Agents, command: str) -> None:
    agent = new_agent()
    pooler.add(agent)
    name = f"{agent}_memory"
    waits = threading.Event()

    class Waits(Silent):
        def waiting(self, text: str) -> None:
            edit(pooler)
            waits.set()

    aliases = pooler.aliases(Waits())
    if command == "apply":
        pooler.toml.write_text(pooler.toml.read_text().partition("[[alias]]")[0])
    work = {
        "rename": lambda: aliases.rename(name, "renamed", drain=Drain(30)),
        "remove": lambda: aliases.remove(name, drain=Drain(30)),
        "apply": lambda: aliases.apply(drain=Drain(30)),
    }[command]
    with pooler.login(name, agent):
        thread = threading.Thread(target=work)
        thread.start()
        assert waits.wait(20)
    thread.join()
    assert kept(pooler)
    assert name not in pooler.served()
    assert "byhand" in pooler.served()
