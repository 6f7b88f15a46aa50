"""Both names of a renamed alias are served until nobody uses the old one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from novaops.errors import RefusedError
from novaops.pgbouncer.drain import Drain
from novaops.progress import Silent
from tests.integration.pgbouncer.test_killed import in_child
from tests.pooler import PoolerForTest

Agents = Callable[..., str]


class Waits(Silent):
    def __init__(self) -> None:
        self.waits = threading.Event()

    def waiting(self, text: str) -> None:
        self.waits.set()


def test_clients_get_in_by_both_names_while_one_uses_the_old(
    pooler: PoolerForTest, new_agent: Agents
) -> None:
    agent = new_agent()
    pooler.add(agent)
    old, new, reporter = f"{agent}_memory", f"{agent}_findings", Waits()
    first = pooler.login(old, agent)
    thread = threading.Thread(target=lambda: pooler.aliases(reporter).rename(old, new, drain=Drain(30)))
    thread.start()
    assert reporter.waits.wait(20)
    assert pooler.works(new, agent)
    second = pooler.login(old, agent)
    first.close()
    assert pooler.works(old, agent)
    thread.join(1)
    assert thread.is_alive()
    second.close()
    thread.join(20)
    assert pooler.served() == {"theirs", new}


def test_who_stays_keeps_the_old_name_and_force_ends_it(pooler: PoolerForTest, new_agent: Agents) -> None:
    agent = new_agent()
    pooler.add(agent)
    old, new = f"{agent}_memory", f"{agent}_findings"
    with pooler.login(old, agent):
        with pytest.raises(RefusedError) as refused:
            pooler.aliases().rename(old, new, drain=Drain(0.3))
        assert f"novaops alias rename {old} {new}" in (refused.value.hint or "")
        assert pooler.works(old, agent)
        assert pooler.works(new, agent)
        outcome = pooler.aliases().rename(old, new, drain=Drain(0.3, force=True))
    assert [(c.operation, c.name) for c in outcome.applied.changes] == [("-", old)]
    assert pooler.served() == {"theirs", new}
    assert pooler.aliases().check().findings == ()


@pytest.mark.parametrize("command", ["rename", "remove"])
def test_killed_while_it_waits(pooler: PoolerForTest, new_agent: Agents, command: str) -> None:
    agent = new_agent()
    pooler.add(agent)
    old, new = f"{agent}_memory", f"{agent}_findings"

    class Dies(Silent):
        def waiting(self, text: str) -> None:
            signal.raise_signal(signal.SIGKILL)

    def work(_: object) -> None:
        aliases = pooler.aliases(Dies())
        if command == "rename":
            aliases.rename(old, new, drain=Drain(20))
        else:
            aliases.remove(old, drain=Drain(20))

    with pooler.login(old, agent):
        assert in_child(work, 0) == signal.SIGKILL
    assert pooler.works(old, agent) == (command == "rename")
    findings = {f.code: f for f in pooler.aliases().check().findings}
    assert findings["not-declared"].subject == old
    if command == "remove":
        assert findings["disabled"].subject == old
        assert "novaops alias apply" in findings["disabled"].hint
        pooler.aliases().apply()
    else:
        assert "disabled" not in findings
        pooler.aliases().rename(old, new)
        assert pooler.works(new, agent)
    assert pooler.served() == {"theirs"} | ({new} if command == "rename" else set())
    assert pooler.aliases().check().findings == ()
