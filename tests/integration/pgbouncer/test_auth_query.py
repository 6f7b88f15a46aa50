"""A switch to auth_query locks out the users that pgbouncer remembers, and says so."""

from __future__ import annotations

from collections.abc import Callable

from tests.pooler import PoolerForTest

Agents = Callable[..., str]


def test_a_switch_names_who_needs_a_restart(pooler: PoolerForTest, new_agent: Agents) -> None:
    first, second, later = new_agent(), new_agent(), new_agent()
    pooler.add(first)
    pooler.add(second)
    assert pooler.works(f"{first}_memory", first)
    auth_user = new_agent("pgbouncer_auth")
    switch = f'[pgbouncer]\nauth = "auth_query"\nauth_user = "{auth_user}"\nauth_password_command = "echo {auth_user}-password"\n'
    pooler.toml.write_text(pooler.toml.read_text().replace("[pgbouncer]\n", switch))
    outcome = pooler.aliases().apply()
    assert not pooler.works(f"{first}_memory", first)
    (restart,) = outcome.applied.restarts
    assert f"{first}, {second} cannot log in until pgbouncer restarts" in restart
    findings = pooler.aliases().check().findings
    assert [(f.code, f.subject) for f in findings] == [
        ("remembered-user", first),
        ("remembered-user", second),
    ]
    pooler.add(later)
    assert pooler.works(f"{later}_memory", later)
    pooler.stop()
    pooler.start()
    for agent in (first, second, later):
        assert pooler.works(f"{agent}_memory", agent)
    assert pooler.aliases().check().findings == ()
    assert pooler.aliases().apply().applied.restarts == ()
