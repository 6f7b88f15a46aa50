"""An alias goes when that is meant, and its clients have gone before."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.pgbouncer.drain import Drain
from novaops.progress import Silent
from tests.pooler import USERLIST, PoolerForTest

Agents = Callable[..., str]


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
